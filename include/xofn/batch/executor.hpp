// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace xofn {

namespace detail {

/// The least that an executor must take: callable once, and movable alone.
struct MoveOnlyFunction {
  MoveOnlyFunction(MoveOnlyFunction&&) noexcept = default;
  MoveOnlyFunction& operator=(MoveOnlyFunction&&) noexcept = default;
  void operator()() const {}
};

/// A function that whoever gave it to an executor may want back.
template <class F>
concept IsWithdrawable = requires(const F& f) {
  { f.owner() }
  noexcept->std::same_as<const void*>;
};

}  // namespace detail

/// Something that runs functions on threads of its own: `execute(f)` runs a move-only `f` once, at
/// some time, on some thread.
///
/// A batch asks for a thread at a time and gets on with those that it gets. An executor that throws
/// from `execute`, or that destroys `f` without having run it, costs a worker. If a batch that was
/// started has no other worker then, and none on its way, nobody is left to run it: what has not
/// started is cancelled, with StopReason::deserted, which the callbacks may be told on the thread
/// that destroys `f`: so with no lock held that they may want.
///
/// It may also have these, from any thread; one that throws has no answer:
/// - `running_in_this_thread()`: whether the calling thread is one of its own. Such a thread works
///   on the batch that it waits for.
/// - `has_waiting()`: whether functions that it was given may wait for a thread. If so, a batch
///   that has had a thread for some milliseconds goes to the end of the queue.
/// - `withdraw(owner)`: destroys what it was given and has not begun whose `owner()` is `owner`.
template <class E>
concept Executor = requires(E& executor, detail::MoveOnlyFunction f) {
  executor.execute(std::move(f));
};

namespace detail {

/// An executor of any type, by reference; null if there is none.
template <class Function>
class ExecutorRef {
 public:
  ExecutorRef() noexcept = default;

  template <Executor E>
  explicit ExecutorRef(E& executor) noexcept
      : executor_(const_cast<void*>(static_cast<const void*>(std::addressof(executor)))),
        execute_([](void* e, Function&& f) { static_cast<E*>(e)->execute(std::move(f)); }),
        running_here_([](void* e) {
          if constexpr (requires(E & x) {
                          { x.running_in_this_thread() } -> std::convertible_to<bool>;
                        }) {
            return answer([e] { return static_cast<E*>(e)->running_in_this_thread(); });
          } else {
            return false;
          }
        }),
        has_waiting_([](void* e) {
          if constexpr (requires(E & x) {
                          { x.has_waiting() } -> std::convertible_to<bool>;
                        }) {
            return answer([e] { return static_cast<E*>(e)->has_waiting(); });
          } else {
            return false;
          }
        }),
        withdraw_([](void* e, const void* owner) {
          if constexpr (requires(E & x) { x.withdraw(owner); }) {
            answer([=] { return static_cast<E*>(e)->withdraw(owner), true; });
          }
        }) {}

  void execute(Function&& f) const { execute_(executor_, std::move(f)); }
  /// Takes back what `owner` has given to it and it has not begun, if it can do that.
  void withdraw(const void* owner) const { withdraw_(executor_, owner); }
  /// Whether others may wait for one of its threads, as far as it can say.
  [[nodiscard]] bool has_waiting() const { return has_waiting_(executor_); }
  [[nodiscard]] bool running_in_this_thread() const { return running_here_(executor_); }

 private:
  /// What `ask()` says; false where it throws.
  template <class Ask>
  static bool answer(Ask ask) noexcept {
    try {
      return static_cast<bool>(ask());
    } catch (...) {
      return false;
    }
  }

  void* executor_ = nullptr;
  void (*execute_)(void*, Function&&) = nullptr;
  bool (*running_here_)(void*) = nullptr;
  bool (*has_waiting_)(void*) = nullptr;
  void (*withdraw_)(void*, const void*) = nullptr;
};

}  // namespace detail
}  // namespace xofn
