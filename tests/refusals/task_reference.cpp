// SPDX-License-Identifier: MIT
// refused: a processor's Task is an object type, without const and without a reference
#include <xofn/batch_processor.hpp>

xofn::BatchProcessor<const int> processor{{.max_workers = 1}};
