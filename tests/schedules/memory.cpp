// SPDX-License-Identifier: MIT
#include "memory.hpp"

#include <algorithm>

namespace schedules {

namespace {

bool acquires(std::memory_order order) {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void join(View& view, const View& other) {
  if (view.size() < other.size()) view.resize(other.size());
  for (std::size_t i = 0; i != other.size(); ++i) view[i] = std::max(view[i], other[i]);
}

std::uint32_t known(const View& view, std::uint32_t location) {
  return location < view.size() ? view[location] : 0;
}

void learn(View& view, std::uint32_t location, std::uint32_t store) {
  if (location >= view.size()) view.resize(location + 1);
  view[location] = std::max(view[location], store);
}

std::uint32_t Memory::locate(Place& place, std::uint64_t value) {
  if (place.execution != execution_) {
    place = {execution_, static_cast<std::uint32_t>(locations_.size())};
    locations_.emplace_back().stores.push_back({value, {}});
  }
  return place.location;
}

std::size_t Memory::choices(const View& view, std::uint32_t location,
                            std::memory_order order) const {
  const Location& place = locations_[location];
  std::uint32_t oldest = known(view, location);
  if (order == std::memory_order_seq_cst) oldest = std::max(oldest, place.newest_sequential);
  return place.stores.size() - oldest;
}

std::uint64_t Memory::peek(std::uint32_t location, std::size_t age) const {
  const auto& stores = locations_[location].stores;
  return stores[stores.size() - 1 - age].value;
}

std::uint64_t Memory::load(View& view, std::uint32_t location, std::size_t age,
                           std::memory_order order) {
  Location& place = locations_[location];
  const auto read = static_cast<std::uint32_t>(place.stores.size() - 1 - age);
  learn(view, location, read);
  if (acquires(order)) join(view, place.stores[read].view);
  if (order == std::memory_order_seq_cst) {
    place.newest_sequential = std::max(place.newest_sequential, read);
  }
  return place.stores[read].value;
}

void Memory::store(View& view, std::uint32_t location, std::uint64_t value,
                   std::memory_order order) {
  Location& place = locations_[location];
  const auto written = static_cast<std::uint32_t>(place.stores.size());
  learn(view, location, written);
  place.stores.push_back({value, releases(order) ? view : View{}});
  if (order == std::memory_order_seq_cst) place.newest_sequential = written;
}

void Memory::modify(View& view, std::uint32_t location, std::uint64_t value,
                    std::memory_order order) {
  View sequence = locations_[location].stores.back().view;  // the release sequence goes on
  load(view, location, 0, order);
  store(view, location, value, order);
  join(locations_[location].stores.back().view, sequence);
}

}  // namespace schedules
