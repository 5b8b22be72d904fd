// SPDX-License-Identifier: MIT
// Not API: what a handler gets of a range's elements.
#pragma once

#include <concepts>
#include <ranges>
#include <type_traits>

namespace xofn::detail {

/// Whether the elements of a range are tasks as they stand, to be used in place.
template <class Range, class Task>
inline constexpr bool has_tasks_in_place =
    std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>&& std::convertible_to<
        std::remove_reference_t<std::ranges::range_reference_t<Range>>*, const Task*>;

/// Whether the elements can be had by their index, by several threads at once.
template <class Range>
inline constexpr bool is_indexed =
    std::ranges::random_access_range<Range>&& std::ranges::sized_range<Range>;

/// Whether the elements lie in the iterator, though it says that it is a forward iterator: those
/// over the matches of a regular expression do (LWG 3698).
template <class Range>
inline constexpr bool has_elements_in_iterator = requires {
  typename std::ranges::iterator_t<Range>::regex_type;
};

/// Whether elements that are tasks in place stay in place while the range is read on.
template <class Range, class Task>
inline constexpr bool has_lasting_tasks =
    has_tasks_in_place<Range, Task>&& std::ranges::forward_range<Range> &&
    !has_elements_in_iterator<Range>;

/// What a handler gets: the element as it stands, or the Task that was made of it.
template <class Range, class Task>
using task_reference_t = std::conditional_t<is_indexed<Range> ? has_tasks_in_place<Range, Task>
                                                              : has_lasting_tasks<Range, Task>,
                                            std::ranges::range_reference_t<Range>, Task&>;

}  // namespace xofn::detail
