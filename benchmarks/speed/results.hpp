// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace speed {

/// A bound on a figure, from above or from below, and what one would like to see.
struct Bound {
  enum class Side { at_most, at_least } side;
  double bound;
  std::optional<double> aim;

  static Bound at_most(double bound, std::optional<double> aim = {}) {
    return {Side::at_most, bound, aim};
  }
  static Bound at_least(double bound, std::optional<double> aim = {}) {
    return {Side::at_least, bound, aim};
  }

  [[nodiscard]] bool holds(double value, double limit) const noexcept {
    return side == Side::at_most ? value <= limit : value >= limit;
  }
};

/// One row of the table.
struct Figure {
  std::string id;    ///< of the promise, "P1"
  std::string what;  ///< is measured against what
  double value;
  std::optional<Bound> bound;  ///< none: for information
  std::string note;            ///< absolute figures, and who the best peer was
  std::string unit = "x";      ///< printed behind the value

  [[nodiscard]] bool misses() const noexcept { return bound && !bound->holds(value, bound->bound); }
};

/// A line of a picture.
struct Line {
  std::string picture;
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// What has been measured.
class Results {
 public:
  /// Prints figures as they come to `out`, with verdicts if they are to be judged.
  Results(std::ostream& out, bool judged);

  void add(Figure figure);

  /// A point of a picture, on the line of that name.
  void add_point(const std::string& picture, const std::string& line, double x, double y);

  [[nodiscard]] bool any_missed() const noexcept;
  [[nodiscard]] bool has_picture(const std::string& picture) const noexcept;

  void write_json(std::ostream& out) const;

  /// For gnuplot: a block of two columns for each line of the picture, under its name in quotes.
  void write_picture(std::ostream& out, const std::string& picture) const;

 private:
  [[nodiscard]] const char* verdict(const Figure& figure) const noexcept;
  void print(const Figure& figure) const;

  std::ostream& out_;
  const bool judged_;
  std::vector<Figure> figures_;
  std::vector<Line> lines_;
};

/// A number with as many digits as say something.
[[nodiscard]] std::string short_number(double value);

}  // namespace speed
