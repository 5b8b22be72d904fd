// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <string>

namespace xofn {

/// One failed item: where it stands in the order of submission, and what it threw at last.
struct Failure {
  std::uint64_t index = 0;
  std::exception_ptr exception;
  std::uint32_t attempts = 1;  ///< how often it was begun

  /// The exception's text; of something that is no std::exception, that it is not one.
  [[nodiscard]] std::string what() const {
    if (exception == nullptr) return "no exception";
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      return error.what();
    } catch (const char* text) {
      return text;
    } catch (const std::string& text) {
      return text;
    } catch (...) {
      return "an exception that is no std::exception";
    }
  }
};

}  // namespace xofn
