// SPDX-License-Identifier: MIT
// The studio: a folder, the batch that a program makes of chosen files of it, and who looks at
// that.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>
#include <xofn/publish/http.hpp>
#include <xofn/publish/json_lines.hpp>
#include <xofn/publish/log.hpp>
#include <xofn/xofn.hpp>

#include "folder.hpp"
#include "job.hpp"
#include "program.hpp"
#include "studio_page.hpp"

struct StudioOptions {
  std::filesystem::path folder;
  std::filesystem::path results;  ///< another folder, which is made if it is not there
  Job job;
  std::uint16_t port = 0;
  unsigned workers = 0;
  std::chrono::seconds timeout{600};  ///< for a file
};

/// Serves the page while it lives. One batch runs at a time, over files of the folder that somebody
/// who has the token has chosen; whoever reaches the page sees it. A file is looked at again when
/// its turn comes. Results come into being whole, or not at all.
///
///     Studio studio{{.folder = "in", .results = "out", .job = {{"gzip", "-c", "{}"}, ".gz"}}};
///     std::cout << "see " << studio.server().url() << '\n';
class Studio {
 public:
  /// Throws where the folders are none, or one, or the server cannot listen.
  explicit Studio(StudioOptions options)
      : folder_(options.folder),
        results_((std::filesystem::create_directories(options.results),
                  std::filesystem::canonical(options.results))),
        job_(std::move(options.job)),
        processor_({.max_workers = options.workers, .task_timeout = options.timeout}),
        server_({.port = options.port, .controls = true, .page = studio_page()}) {
    if (std::filesystem::equivalent(options.folder, results_)) {
      throw std::invalid_argument("the results need a folder of their own");
    }
    processor_.on_start([this](const xofn::Start<std::string>& s) { note(s.index, "running", {}); })
        .on_completion([this](const xofn::Completion<std::string>& c) {
          if (c.succeeded()) return note(c.index, "succeeded", {});
          note(c.index, "failed", xofn::Failure{.exception = c.error}.what());
        });
    xofn::log_to(processor_, log_, job_.name(), [](const std::string& name) { return name; });
    server_.handle("/studio/files", [this](const auto&) { return files(); });
    server_.handle("/studio/start", [this](const auto& request) { return start(request); });
    server_.handle("/studio/retry", [this](const auto& request) { return retry(request); });
    server_.handle("/studio/log", [this](const auto&) { return log(); });
    server_.handle("/studio/results", [this](const auto& request) { return result(request); });
  }
  Studio(const Studio&) = delete;
  Studio& operator=(const Studio&) = delete;

  /// Kills the programs that run, and shows that.
  ~Studio() {
    const std::lock_guard guard(batch_mutex_);
    if (!batch_) return;
    batch_->cancel();
    batch_->wait();
  }

  [[nodiscard]] const xofn::ProgressServer& server() const { return server_; }

 private:
  using Answer = xofn::HttpAnswer;
  using Names = std::vector<std::string>;
  using json = nlohmann::json;

  struct Item {
    std::string name;
    std::string state = "waiting";
    std::string what = {};
  };

  void process(const std::string& name, const xofn::TaskContext& context) {
    if (!folder_.has(name)) throw std::runtime_error(name + ": it is there no more");
    const TemporaryFile part{result_of(name).string() + ".part"};
    try {
      run_program(job_.command_for(folder_.path_of(name)), part.path, context.stop_token());
      std::filesystem::rename(part.path, result_of(name));
    } catch (const std::exception& error) {
      if (context.stop_requested()) throw xofn::TaskCancelled{};
      throw std::runtime_error(name + ": " + error.what());
    }
  }

  void note(std::uint64_t index, const char* state, std::string what) {
    const std::lock_guard guard(items_mutex_);
    items_[index].state = state;
    items_[index].what = std::move(what);
  }

  // --- What is asked ---

  Answer files() {
    const std::lock_guard guard(batch_mutex_);
    const bool has_ended = !batch_ || batch_->view().ended();
    if (batch_ && has_ended) batch_->wait();  // until all is told
    json files = json::array();
    const std::lock_guard items_guard(items_mutex_);
    std::map<std::string_view, const Item*> items;
    for (const Item& item : items_) items[item.name] = &item;
    for (const MediaFile& file : folder_.files()) {
      const auto made = result_of(file.name);
      json shown{{"name", file.name},
                 {"size", file.size},
                 {"state", ""},
                 {"what", ""},
                 {"result", is_plain_file(made) ? made.filename().string() : ""}};
      if (const auto found = items.find(file.name); found != items.end()) {
        const Item& item = *found->second;
        const bool has_settled = item.state == "succeeded" || item.state == "failed";
        shown["state"] = has_ended && !has_settled ? "cancelled" : item.state;
        shown["what"] = item.what;
      }
      files.push_back(std::move(shown));
    }
    const json answer{{"job", job_.name()},
                      {"is_running", !has_ended},
                      {"makes_images", job_.suffix == ".jpg"},
                      {"files", files}};
    return {.body = answer.dump(-1, ' ', false, json::error_handler_t::replace),
            .type = "application/json"};
  }

  Answer start(const xofn::HttpRequest& request) {
    if (request.method != "POST") return {405, "Names are to be posted.\n"};
    const json chosen = json::parse(request.body, nullptr, false);
    if (!chosen.is_array()) return {400, "An array of names is needed.\n"};
    std::set<std::string> names;
    for (const json& name : chosen) {
      if (!name.is_string()) return {400, "An array of names is needed.\n"};
      if (!folder_.has(name.get<std::string>())) {
        return {404, "No such file: " + name.dump() + '\n'};
      }
      names.insert(name.get<std::string>());
    }
    const std::lock_guard guard(batch_mutex_);
    return begin({names.begin(), names.end()});
  }

  Answer retry(const xofn::HttpRequest& request) {
    if (request.method != "POST") return {405, "It is to be posted.\n"};
    const std::lock_guard guard(batch_mutex_);
    if (batch_ && batch_->view().ended()) batch_->wait();
    Names names;
    {
      const std::lock_guard items_guard(items_mutex_);
      for (const Item& item : items_) {
        if (item.state == "failed") names.push_back(item.name);
      }
    }
    return begin(std::move(names));
  }

  /// Under the lock of the batch.
  Answer begin(Names names) {
    if (batch_ && !batch_->view().ended()) return {409, "A batch is running.\n"};
    if (names.empty()) return {400, "There is nothing to do.\n"};
    if (batch_) batch_->wait();
    {
      const std::lock_guard guard(items_mutex_);
      items_.clear();
      for (const std::string& name : names) items_.push_back({name});
    }
    batch_ = processor_.start(std::move(names),
                              [this](const std::string& name, const xofn::TaskContext& context) {
                                process(name, context);
                              });
    server_.watch(job_.name(), *batch_);
    return {202};
  }

  Answer log() {
    std::ignore = log_.flush(std::chrono::seconds{1});
    return {.body = end_of(log_file(), 1 << 15)};
  }

  Answer result(const xofn::HttpRequest& request) const {
    constexpr std::uintmax_t most = 16 << 20;
    if (request.path.size() != 1 || !folder_.has(request.path[0])) return {404, "No such file.\n"};
    const auto path = result_of(request.path[0]);
    if (!is_plain_file(path)) return {404, "It has no result.\n"};
    if (std::filesystem::file_size(path) > most) return {403, "It is too large for a page.\n"};
    std::ifstream in(path, std::ios::binary);
    return {.body = {std::istreambuf_iterator<char>(in), {}},
            .type = job_.suffix == ".jpg" ? "image/jpeg" : "application/octet-stream"};
  }

  [[nodiscard]] std::filesystem::path result_of(const std::string& name) const {
    return results_ / (name + job_.suffix);
  }

  [[nodiscard]] std::string log_file() const { return (results_ / "log.jsonl").string(); }

  const Folder folder_;
  const std::filesystem::path results_;
  const Job job_;
  std::mutex batch_mutex_;
  std::mutex items_mutex_;   ///< of callbacks as well, and never held when the other one is taken
  std::vector<Item> items_;  ///< of the newest batch
  xofn::Log log_{xofn::JsonLines{log_file()}};
  xofn::BatchProcessor<std::string> processor_;
  std::optional<xofn::Batch<void>> batch_;
  xofn::ProgressServer server_;  // last: who asks must have gone before the rest
};
