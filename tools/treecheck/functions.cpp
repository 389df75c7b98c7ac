// SPDX-License-Identifier: Apache-2.0
#include "treecheck/functions.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace infiniedge::treecheck {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// Walks a text once and blanks what is not code.
class Blanker {
 public:
  explicit Blanker(std::string_view text) : in_(text), out_(text) {}

  std::string run() {
    while (at_ < in_.size()) step();
    return std::move(out_);
  }

 private:
  bool sees(std::string_view what) const { return in_.substr(at_).starts_with(what); }

  void step() {
    if (sees("//")) return blank_to(line_end());
    if (sees("/*")) return blank_to(after("*/", at_ + 2));
    if (in_[at_] == '"') return opens_raw_string() ? blank_raw_string() : blank_quoted('"');
    if (in_[at_] == '\'' && !separates_digits()) return blank_quoted('\'');
    if (in_[at_] == '#' && starts_line()) return blank_to(line_end());
    ++at_;
  }

  bool separates_digits() const {
    const auto is_digit = [&](std::size_t at) {
      return at < in_.size() && std::isxdigit(static_cast<unsigned char>(in_[at])) != 0;
    };
    return at_ > 0 && is_digit(at_ - 1) && is_digit(at_ + 1);
  }

  bool opens_raw_string() const { return at_ > 0 && in_[at_ - 1] == 'R'; }

  bool starts_line() const {
    const auto before = in_.substr(0, at_);
    const auto last = before.find_last_not_of(" \t");
    return last == std::string_view::npos || before[last] == '\n';
  }

  /// End of the line, past any that a backslash continues.
  std::size_t line_end() const {
    auto end = in_.find('\n', at_);
    while (end != std::string_view::npos && end > 0 && in_[end - 1] == '\\') {
      end = in_.find('\n', end + 1);
    }
    return std::min(end, in_.size());
  }

  std::size_t after(std::string_view what, std::size_t from) const {
    const auto found = in_.find(what, from);
    return found == std::string_view::npos ? in_.size() : found + what.size();
  }

  void blank_quoted(char quote) {
    auto end = at_ + 1;
    while (end < in_.size() && in_[end] != quote && in_[end] != '\n') {
      end += in_[end] == '\\' ? 2 : 1;
    }
    blank_to(std::min(end + 1, in_.size()));
  }

  void blank_raw_string() {
    const auto open = in_.find('(', at_);
    if (open == std::string_view::npos) return blank_quoted('"');
    const auto close = ")" + std::string{in_.substr(at_ + 1, open - at_ - 1)} + "\"";
    blank_to(after(close, open));
  }

  void blank_to(std::size_t end) {
    for (; at_ < end; ++at_) {
      if (in_[at_] != '\n') out_[at_] = ' ';
    }
  }

  std::string_view in_;
  std::string out_;
  std::size_t at_ = 0;
};

/// `template <class T, int N = (1 > 0)> rest` gives `rest`; likewise leading attributes.
std::string_view without_prefixes(std::string_view head) {
  for (;;) {
    while (!head.empty() && is_space(head.front())) head.remove_prefix(1);
    if (head.starts_with("[[")) {
      const auto end = head.find("]]");
      if (end == std::string_view::npos) return head;
      head.remove_prefix(end + 2);
    } else if (head.starts_with("template") && head.find('<') != std::string_view::npos) {
      auto at = head.find('<') + 1;
      for (int depth = 1; at < head.size() && depth > 0; ++at) {
        depth += head[at] == '<' ? 1 : head[at] == '>' ? -1 : 0;
      }
      head.remove_prefix(at);
    } else {
      return head;
    }
  }
}

bool opens_scope(std::string_view head) {
  constexpr std::array<std::string_view, 6> kWords{"namespace", "class",  "struct",
                                                   "union",     "extern", "inline namespace"};
  head = without_prefixes(head);
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    return head.starts_with(word) && (head.size() == word.size() || !is_word(head[word.size()]));
  });
}

/// A signature has a parameter list outside any other bracket, and no initialiser.
bool opens_function(std::string_view head) {
  head = without_prefixes(head);
  bool has_parameters = false;
  int depth = 0;
  for (std::size_t at = 0; at < head.size(); ++at) {
    const char c = head[at];
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == ')' && depth == 0) has_parameters = true;
    const bool names_operator = head.substr(0, at).find("operator") != std::string_view::npos;
    if (c == '=' && depth == 0 && !names_operator && !has_parameters) return false;
  }
  return has_parameters;
}

std::string one_line(std::string_view head) {
  std::string out;
  for (const char c : head) {
    if (!is_space(c))
      out.push_back(c);
    else if (!out.empty() && out.back() != ' ')
      out.push_back(' ');
  }
  constexpr std::size_t kLongest = 70;
  if (out.size() > kLongest) out.replace(kLongest, std::string::npos, "...");
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

/// Follows the braces of a blanked text.
class Finder {
 public:
  explicit Finder(std::string_view code) : code_(code) {}

  std::vector<Function> run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      const char c = code_[at_];
      if (c == '{') open();
      if (c == '}') close();
      if (c == ';' && function_depth_ == 0 && parentheses() == 0) start_head(at_ + 1);
    }
    return std::move(found_);
  }

 private:
  enum class Kind { Scope, Function, Other };

  void open() {
    auto kind = Kind::Other;
    if (function_depth_ > 0) {
      ++function_depth_;
    } else if ((stack_.empty() || stack_.back() == Kind::Scope) && parentheses() == 0) {
      const auto head = code_.substr(head_, at_ - head_);
      if (opens_scope(head))
        kind = Kind::Scope;
      else if (opens_function(head))
        kind = Kind::Function;
      if (kind == Kind::Function) function_depth_ = 1;
    }
    stack_.push_back(kind);
    if (kind == Kind::Scope) start_head(at_ + 1);
  }

  void close() {
    if (stack_.empty()) return;
    const auto kind = stack_.back();
    stack_.pop_back();
    if (function_depth_ > 0) --function_depth_;
    if (function_depth_ > 0) return;
    if (kind == Kind::Function && !continues_initialisers()) {
      report();
      start_head(at_ + 1);
    } else if (kind == Kind::Scope) {
      start_head(at_ + 1);
    }
  }

  /// `Foo() : a_{1}, b_(2) {`: the brace after a_ only looked like a body.
  bool continues_initialisers() const {
    const auto next = code_.find_first_not_of(" \t\r\n", at_ + 1);
    return next != std::string_view::npos && (code_[next] == ',' || code_[next] == '{');
  }

  void report() {
    const auto begin = code_.find_first_not_of(" \t\r\n", head_);
    const auto line = line_of(begin);
    found_.push_back({line, line_of(at_) - line + 1,
                      one_line(code_.substr(begin, code_.find('{', begin) - begin))});
  }

  std::size_t line_of(std::size_t position) const {
    const auto before = code_.substr(0, position);
    return 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  }

  /// Open ones since the head began: a brace among arguments is an initialiser or a lambda.
  int parentheses() const {
    const auto head = code_.substr(head_, at_ - head_);
    return static_cast<int>(std::ranges::count(head, '(') - std::ranges::count(head, ')'));
  }

  void start_head(std::size_t position) {
    if (function_depth_ == 0) head_ = position;
  }

  std::string_view code_;
  std::vector<Kind> stack_;
  std::vector<Function> found_;
  std::size_t at_ = 0;
  std::size_t head_ = 0;
  int function_depth_ = 0;  ///< Open braces since the function's own.
};

/// `public:` at the start of a head is no part of the signature.
std::string without_access_labels(std::string code) {
  for (const std::string_view label : {"public:", "private:", "protected:"}) {
    for (auto at = code.find(label); at != std::string::npos; at = code.find(label, at)) {
      code.replace(at, label.size(), label.size(), ' ');
    }
  }
  return code;
}

}  // namespace

std::string blank_out(std::string_view text) { return Blanker(text).run(); }

std::vector<Function> find_functions(std::string_view text) {
  const auto code = without_access_labels(blank_out(text));
  return Finder(code).run();
}

}  // namespace infiniedge::treecheck
