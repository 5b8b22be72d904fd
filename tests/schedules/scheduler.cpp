// SPDX-License-Identifier: MIT
#include "scheduler.hpp"

#include <sys/single_threaded.h>

#include <bit>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "heap.hpp"
#include "sanitizers.hpp"

namespace schedules {

Scheduler& Scheduler::instance() {
  static Scheduler& scheduler = *new Scheduler;  // its fibers may still be in the middle of things
  return scheduler;
}

Scheduler::Thread::Thread(unsigned n) : fiber(&Scheduler::run_thread, this), number(n) {}

Scheduler::Thread& Scheduler::thread_at(unsigned number) {
  const Unseen unseen;
  auto& thread = threads_[number];
  if (thread == nullptr) thread = std::make_unique<Thread>(number);
  return *thread;
}

void Scheduler::prepare(Thread& thread) {
  thread.active = true;
  thread.blocked_while = nullptr;
  thread.until = never;
  thread.after = 0;
  thread.operation = "begin";
  thread.object = nullptr;
  thread.pointer = nullptr;
  ++begun_;
}

std::optional<std::string> Scheduler::run(Strategy& strategy, const std::function<void()>& program,
                                          Settings settings) {
  // Else reference counts are not atomic as long as the process has one thread.
  __libc_single_threaded = 0;
  Thread& main = thread_at(0);
  {
    const Unseen unseen;
    strategy_ = &strategy;
    settings_ = settings;
    choices_.clear();
    failure_.reset();
    steps_ = 0;
    now_ = 0;
    begun_ = 0;
    thread_limit_ = most_threads;
    memory_.begin_execution();
    main.view.clear();
    prepare(main);
  }
  main.body = std::make_unique<std::function<void()>>(std::cref(program));
  release(&main.body);
  {
    const Unseen unseen;
    current_ = &main;
    keep_freed_memory(true);
    host_.switch_to(main.fiber);
    keep_freed_memory(false);
    current_ = nullptr;
  }
  for (unsigned i = 0; i != begun_; ++i) {
    Thread& thread = *threads_[i];
    if (!thread.active) {
      acquire(&thread.active);
      continue;
    }
    thread.fiber.abandon();
    thread.active = false;
    static_cast<void>(thread.body.release());  // leaks: what it refers to may be gone
  }
  return failure_;
}

void Scheduler::run_thread(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  Scheduler& scheduler = instance();
  for (;;) {
    acquire(&thread.body);
    // With weak memory the races are told by the model.
    std::optional<Unseen> unseen;
    if (scheduler.settings_.weak_memory) unseen.emplace();
    try {
      (*thread.body)();
      thread.body.reset();
    } catch (const std::exception& error) {
      scheduler.fail(std::string("an exception leaves a thread: ") + error.what());
    } catch (...) {
      scheduler.fail("an exception leaves a thread");
    }
    unseen.reset();
    release(&thread.active);
    scheduler.end_thread();
  }
}

void Scheduler::end_thread() {
  const Unseen unseen;
  current_->active = false;
  reschedule();  // and comes back in another execution
}

void Scheduler::fail(std::string what) {
  if (!is_running()) throw std::logic_error(what);
  {
    const Unseen unseen;
    if (!failure_) failure_ = std::move(what);
    current_->active = true;  // it may have been about to end
    current_->fiber.switch_to(host_);
  }
  std::terminate();
}

void Scheduler::point(const char* operation, const void* object) {
  if (!is_running()) return;
  const Unseen unseen;
  current_->operation = operation;
  current_->object = object;
  reschedule();
}

void Scheduler::point_while(const bool& condition, const char* operation, const void* object) {
  if (!is_running()) return;
  const Unseen unseen;
  current_->blocked_while = &condition;
  current_->operation = operation;
  current_->object = object;
  reschedule();
}

void Scheduler::yield() {
  if (!is_running()) return;
  const Unseen unseen;
  current_->operation = "yield";
  current_->object = nullptr;
  current_->after = runnable() & ~(1U << current_->number);
  reschedule();
}

void Scheduler::sleep_while(const bool& condition, const char* operation, const void* object,
                            std::int64_t until) {
  const Unseen unseen;
  current_->blocked_while = &condition;
  current_->operation = operation;
  current_->object = object;
  current_->until = until;
  current_->after = until == never ? 0 : runnable() & ~(1U << current_->number);
  reschedule();
}

void Scheduler::wake_while(unsigned thread, const bool& condition) {
  threads_[thread]->blocked_while = &condition;
  threads_[thread]->until = never;
  threads_[thread]->after = 0;
}

std::size_t Scheduler::choose(std::size_t count, std::size_t free) {
  if (count < 2) return 0;
  const Unseen unseen;
  Options options;
  options.count = count < Options::most ? count : Options::most;
  options.free = free;
  return ask(options);
}

std::size_t Scheduler::ask(const Options& options) {
  std::size_t way = 0;
  try {
    way = strategy_->choose(options);
  } catch (const std::exception& error) {
    fail(error.what());
  }
  choices_.push_back(static_cast<std::uint8_t>(way));
  return way;
}

std::uint32_t Scheduler::runnable() const {
  std::uint32_t all = 0;
  for (unsigned i = 0; i != begun_; ++i) {
    const Thread& t = *threads_[i];
    const bool blocked = t.blocked_while != nullptr && *t.blocked_while && t.until > now_;
    if (t.active && !blocked) all |= 1U << i;
  }
  return all;
}

/// The thread whose timed sleep ends first, if others have had their turn.
Scheduler::Thread* Scheduler::pick_timed(std::uint32_t all) {
  Thread* first = nullptr;
  for (unsigned i = 0; i != begun_; ++i) {
    Thread& t = *threads_[i];
    if (!t.active || t.until == never || ((all >> i) & 1) != 0) continue;
    if (first == nullptr || t.until < first->until) first = &t;
  }
  return first == nullptr || (first->after & all) != 0 ? nullptr : first;
}

Scheduler::Thread* Scheduler::pick() {
  const std::uint32_t all = runnable();
  Options options;
  options.are_threads = true;
  const unsigned from = current_->number;
  const auto offer = [&](unsigned i) {
    if (((all >> i) & 1) == 0 || (threads_[i]->after & all) != 0) return;
    options.threads[options.count++] = static_cast<std::uint8_t>(i);
  };
  for (unsigned i = 0; i != begun_; ++i) offer((from + i) % begun_);
  options.free = options.count != 0 && options.threads[0] == from ? 1 : options.count;
  Thread* const timed = pick_timed(all);
  if (timed != nullptr) options.threads[options.count++] = Options::time;
  if (options.count == 0) return nullptr;
  const std::size_t way = options.count == 1 ? 0 : ask(options);
  if (options.threads[way] != Options::time) return threads_[options.threads[way]].get();
  now_ = timed->until;
  return timed;
}

void Scheduler::reschedule() {
  if (++steps_ > settings_.most_steps) fail("there is no end in sight: " + stuck());
  Thread* const next = pick();
  if (next != nullptr) return switch_to(*next);
  for (unsigned i = 0; i != begun_; ++i) {
    if (threads_[i]->active) fail((i == 0 ? "nobody can go on: " : "left behind: ") + stuck());
  }
  current_->fiber.switch_to(host_);
}

void Scheduler::switch_to(Thread& next) {
  next.blocked_while = nullptr;
  next.until = never;
  next.after = 0;
  for (unsigned i = 0; i != begun_; ++i) threads_[i]->after &= ~(1U << next.number);
  if (settings_.prints) print_step(next);
  Thread* const previous = std::exchange(current_, &next);
  if (previous != &next) previous->fiber.switch_to(next.fiber);
}

unsigned Scheduler::start(std::unique_ptr<std::function<void()>> body) {
  point("start", nullptr);
  const unsigned number = begun_;
  if (number >= thread_limit_) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  Thread& thread = thread_at(number);
  thread.body = std::move(body);
  release(&thread.body);
  const Unseen unseen;
  thread.view = current_->view;
  prepare(thread);
  return number;
}

void Scheduler::join(unsigned number) {
  Thread& thread = *threads_[number];
  point_while(thread.active, "join", &thread);
  acquire(&thread.active);
  const Unseen unseen;
  schedules::join(current_->view, thread.view);
}

void Scheduler::limit_threads(unsigned threads) noexcept {
  const Unseen unseen;
  thread_limit_ = threads;
}

std::int64_t Scheduler::read_clock() noexcept {
  const Unseen unseen;
  return is_running() ? ++now_ : now_;
}

void Scheduler::pass(std::int64_t nanoseconds) noexcept {
  const Unseen unseen;
  now_ += nanoseconds;
}

unsigned Scheduler::thread() const noexcept { return is_running() ? current_->number : 0; }

const void*& Scheduler::thread_pointer() noexcept {
  static const void* outside = nullptr;
  return is_running() ? current_->pointer : outside;
}

View& Scheduler::view() noexcept { return current_->view; }

std::string Scheduler::stuck() const {
  std::string text;
  for (unsigned i = 0; i != begun_; ++i) {
    if (!threads_[i]->active) continue;
    if (!text.empty()) text += ", ";
    text += "thread " + std::to_string(i) + " is at " + threads_[i]->operation;
  }
  return text;
}

void Scheduler::print_step(const Thread& thread) const {
  std::printf("  %4zu  %*sthread %u: %s", choices_.size(), static_cast<int>(2 * thread.number), "",
              thread.number, thread.operation);
  if (thread.object != nullptr) std::printf(" %p", thread.object);
  std::printf("\n");
}

}  // namespace schedules
