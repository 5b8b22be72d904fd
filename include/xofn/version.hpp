// SPDX-License-Identifier: MIT
#pragma once

/// The version as one number, for the preprocessor: major * 10000 + minor * 100 + patch.
#define XOFN_VERSION 100

/// The version as text.
#define XOFN_VERSION_STRING "0.1.0"
