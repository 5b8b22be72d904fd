// SPDX-License-Identifier: MIT
#include "scheduled_mutex.hpp"

#include <cstddef>

namespace schedules {

void ScheduledMutex::lock() {
  life_.check();
  Scheduler& scheduler = Scheduler::instance();
  {
    const Unseen unseen;
    forget_past();
    scheduler.point_while(held_, "lock", this);
  }
  life_.check();
  take();
}

void ScheduledMutex::take() {
  Scheduler& scheduler = Scheduler::instance();
  {
    const Unseen unseen;
    held_ = true;
    if (scheduler.is_running() && scheduler.has_weak_memory()) join(scheduler.view(), view_);
  }
  acquire(this);
}

void ScheduledMutex::unlock() {
  life_.check();
  release(this);
  Scheduler& scheduler = Scheduler::instance();
  const Unseen unseen;
  held_ = false;
  if (scheduler.is_running() && scheduler.has_weak_memory()) view_ = scheduler.view();
}

void ScheduledMutex::forget_past() {
  const std::uint64_t now = Scheduler::instance().execution();
  if (execution_ == now) return;
  execution_ = now;
  held_ = false;
  view_.clear();
}

bool ScheduledConditionVariable::sleep(Lock& guard, std::int64_t until) {
  life_.check();
  Scheduler& scheduler = Scheduler::instance();
  ScheduledMutex& mutex = *guard.mutex();
  scheduler.point("wait", this);
  life_.check();
  if (scheduler.choose(2, 1) == 1) {
    guard.unlock();
    guard.lock();
    return true;
  }
  Sleeper sleeper{};
  {
    const Unseen unseen;
    if (execution_ != scheduler.execution()) first_ = nullptr;
    execution_ = scheduler.execution();
    sleeper.thread = scheduler.thread();
    sleeper.mutex_held = &mutex.held_;
    Sleeper** place = &first_;
    while (*place != nullptr) place = &(*place)->next;
    *place = &sleeper;
  }
  guard.release()->unlock();
  bool notified = true;
  {
    const Unseen unseen;
    scheduler.sleep_while(sleeper.asleep, "sleep", this, until);
    notified = !sleeper.asleep;
    if (!notified) {
      life_.check();
      Sleeper** place = &first_;
      while (*place != &sleeper) place = &(*place)->next;
      *place = sleeper.next;
    }
  }
  if (notified) {
    mutex.take();  // it was woken while the lock was free
    guard = Lock(mutex, std::adopt_lock);
  } else {
    guard = Lock(mutex);
  }
  return notified;
}

void ScheduledConditionVariable::wake(Sleeper& sleeper) {
  sleeper.asleep = false;
  Scheduler::instance().wake_while(sleeper.thread, *sleeper.mutex_held);
}

void ScheduledConditionVariable::notify_one() {
  life_.check();
  Scheduler& scheduler = Scheduler::instance();
  scheduler.point("notify", this);
  life_.check();
  const Unseen unseen;
  if (execution_ != scheduler.execution()) return;
  std::size_t sleepers = 0;
  for (Sleeper* s = first_; s != nullptr; s = s->next) ++sleepers;
  if (sleepers == 0) return;
  std::size_t way = scheduler.choose(sleepers, sleepers);
  Sleeper** place = &first_;
  for (; way != 0; --way) place = &(*place)->next;
  Sleeper& woken = **place;
  *place = woken.next;
  wake(woken);
}

void ScheduledConditionVariable::notify_all() {
  life_.check();
  Scheduler& scheduler = Scheduler::instance();
  scheduler.point("notify", this);
  life_.check();
  const Unseen unseen;
  if (execution_ != scheduler.execution()) return;
  while (first_ != nullptr) {
    Sleeper& woken = *first_;
    first_ = woken.next;
    wake(woken);
  }
}

}  // namespace schedules
