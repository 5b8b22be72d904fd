// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
#include <xofn/batch/limit.hpp>
#include <xofn/sync.hpp>

namespace xofn {

namespace detail {
template <class Sync>
class Admission;
}

/// Named resources, each with so many slots, shared by all batches whose options point to them,
/// whatever processors and pools these are of. An item runs only while it holds a slot:
/// `TaskContext::slot()` is the name of its resource.
///
/// It must outlive the batches. Its calls may come from any thread.
///
/// It guarantees that no more items hold a slot of a resource than that has, and that what an item
/// did is visible to the next that holds its slot. An item has a slot of the resource that is used
/// the least in proportion to its slots, of several the first. No thread waits for a slot: an item
/// that finds none waits alone, its batch does nothing meanwhile, and batches have the slots that
/// come free in the order in which they began to wait. A batch whose turn it is keeps the others
/// waiting until a thread of its executor comes to it, however busy that is.
///
/// An item lends its slot to the batches that it begins on the same slots, to one item of theirs at
/// a time, else that would wait for ever; more of them run when there are slots for them. Such
/// batches go first where a task or callback waits for them and no slot is lent to them. An item
/// must not wait for a batch that it did not begin, and which needs slots that it holds. Items that
/// hold slots and begin batches on others do so everywhere in one order, as with locks.
///
///     ResourceSlots gpus{{"cuda:0", 2}, {"cuda:1", 3}};
///     BatchProcessor<Image> processor{{.slots = &gpus}};
///     processor.run(images, [](Image& image, TaskContext& context) {
///       infer(image, context.slot());  // at most 2 at once on cuda:0, and 3 on cuda:1
///     });
template <class Sync = StdSync>
class BasicResourceSlots {
 public:
  struct Resource {
    std::string name;
    unsigned count = 1;
  };

  /// Throws std::invalid_argument if there is no resource, if one has no slot or no name, or if two
  /// have the same name.
  BasicResourceSlots(std::initializer_list<Resource> resources)
      : BasicResourceSlots(std::vector<Resource>(resources)) {}

  explicit BasicResourceSlots(const std::vector<Resource>& resources)
      : limit_(checked(resources)) {}

  BasicResourceSlots(const BasicResourceSlots&) = delete;
  BasicResourceSlots& operator=(const BasicResourceSlots&) = delete;

  /// The slots of all resources.
  [[nodiscard]] std::uint64_t capacity() const noexcept {
    std::uint64_t all = 0;
    for (const auto& part : limit_.parts()) all += part.capacity;
    return all;
  }

  /// The slots of one; throws std::out_of_range if there is none of this name.
  [[nodiscard]] std::uint64_t capacity(std::string_view name) const { return part(name).capacity; }

  /// How many slots were held a moment ago.
  [[nodiscard]] std::uint64_t in_use() const { return limit_.in_use(); }

  /// The same of one resource; throws std::out_of_range if there is none of this name.
  [[nodiscard]] std::uint64_t in_use(std::string_view name) const {
    const auto& found = part(name);
    const auto guard = limit_.lock();
    return found.used;
  }

 private:
  friend class detail::Admission<Sync>;
  using Part = typename detail::Limit<Sync>::Part;

  static std::vector<Part> checked(const std::vector<Resource>& resources) {
    const auto check = [](bool right, const std::string& wrong) {
      if (!right) throw std::invalid_argument("xofn: ResourceSlots: " + wrong);
    };
    check(!resources.empty(), "no resources");
    std::vector<Part> parts;
    for (const Resource& resource : resources) {
      check(!resource.name.empty(), "a resource without a name");
      check(resource.count != 0, "0 slots of " + resource.name);
      for (const Part& part : parts) check(part.name != resource.name, resource.name + " twice");
      parts.push_back({resource.name, resource.count});
    }
    return parts;
  }

  [[nodiscard]] const Part& part(std::string_view name) const {
    for (const Part& part : limit_.parts()) {
      if (part.name == name) return part;
    }
    throw std::out_of_range("xofn: ResourceSlots: no resource is named " + std::string(name));
  }

  detail::Limit<Sync> limit_;
};

using ResourceSlots = BasicResourceSlots<>;

}  // namespace xofn
