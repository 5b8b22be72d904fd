// SPDX-License-Identifier: MIT
#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <ostream>

#include "../machine.hpp"

namespace speed {

namespace {

std::string limit(const Bound& bound, double value) {
  return (bound.side == Bound::Side::at_most ? "<= " : ">= ") + short_number(value);
}

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// JSON knows no infinity.
std::string json(double value) { return std::isfinite(value) ? short_number(value) : "null"; }

}  // namespace

std::string short_number(double value) {
  char text[32];
  const double size = std::fabs(value);
  std::snprintf(text, sizeof text, size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.3g", value);
  return text;
}

Results::Results(std::ostream& out, bool judged) : out_(out), judged_(judged) {
  out_ << machine() << "\n\n"
       << std::left << std::setw(5) << "" << std::setw(62) << "what" << std::right << std::setw(10)
       << "figure" << std::setw(10) << "bound" << std::setw(9) << "aim"
       << "  verdict\n"
       << std::flush;
}

void Results::add(Figure figure) {
  print(figure);
  figures_.push_back(std::move(figure));
}

void Results::add_point(const std::string& picture, const std::string& line, double x, double y) {
  const auto same = [&](const Line& l) { return l.picture == picture && l.name == line; };
  auto found = std::find_if(lines_.begin(), lines_.end(), same);
  if (found == lines_.end()) found = lines_.insert(found, {picture, line, {}});
  found->points.emplace_back(x, y);
}

bool Results::any_missed() const noexcept {
  return std::any_of(figures_.begin(), figures_.end(), [](const Figure& f) { return f.misses(); });
}

bool Results::has_picture(const std::string& picture) const noexcept {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const Line& line) { return line.picture == picture; });
}

const char* Results::verdict(const Figure& figure) const noexcept {
  if (!figure.bound) return "reported";
  if (!judged_) return "not judged";
  if (figure.misses()) return "MISSED";
  const auto& aim = figure.bound->aim;
  return aim && figure.bound->holds(figure.value, *aim) ? "aim reached" : "holds";
}

void Results::print(const Figure& figure) const {
  const auto& bound = figure.bound;
  out_ << std::left << std::setw(5) << figure.id << std::setw(62) << figure.what << std::right
       << std::setw(10) << short_number(figure.value) + figure.unit << std::setw(10)
       << (bound ? limit(*bound, bound->bound) : "") << std::setw(9)
       << (bound && bound->aim ? limit(*bound, *bound->aim) : "") << "  " << verdict(figure);
  if (!figure.note.empty()) out_ << "\n     " << figure.note;
  out_ << '\n' << std::flush;
}

void Results::write_json(std::ostream& out) const {
  out << "{\n  \"machine\": " << quoted(machine()) << ",\n  \"figures\": [";
  const char* separator = "\n";
  for (const Figure& f : figures_) {
    out << std::exchange(separator, ",\n") << "    {\"id\": " << quoted(f.id)
        << ", \"what\": " << quoted(f.what) << ", \"value\": " << json(f.value)
        << ", \"unit\": " << quoted(f.unit);
    if (f.bound) {
      const bool above = f.bound->side == Bound::Side::at_most;
      out << ", " << (above ? "\"at_most\"" : "\"at_least\"") << ": " << json(f.bound->bound);
      if (f.bound->aim) out << ", \"aim\": " << json(*f.bound->aim);
    }
    out << ", \"verdict\": " << quoted(verdict(f)) << ", \"note\": " << quoted(f.note) << '}';
  }
  out << "\n  ],\n  \"lines\": [";
  separator = "\n";
  for (const Line& line : lines_) {
    out << std::exchange(separator, ",\n") << "    {\"picture\": " << quoted(line.picture)
        << ", \"name\": " << quoted(line.name) << ", \"points\": [";
    const char* comma = "";
    for (const auto& [x, y] : line.points) {
      out << std::exchange(comma, ", ") << '[' << json(x) << ", " << json(y) << ']';
    }
    out << "]}";
  }
  out << "\n  ]\n}\n";
}

void Results::write_picture(std::ostream& out, const std::string& picture) const {
  for (const Line& line : lines_) {
    if (line.picture != picture) continue;
    out << quoted(line.name) << '\n';
    for (const auto& [x, y] : line.points) out << x << ' ' << y << '\n';
    out << "\n\n";
  }
}

}  // namespace speed
