// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "stream/kernels.hpp"

namespace infiniedge::stream::kernels {
namespace {

template <class Get, class Op>
Vec compare_with(const Args& args, Get get, Op op) {
  const auto &a = args[0], &b = args[1];
  return map_ints(args, Type::Bool,
                  [&](std::size_t i) { return op(get(a, i), get(b, i)) ? 1 : 0; });
}

constexpr auto kInt = [](const Vec& v, std::size_t i) { return v.integer(i); };
constexpr auto kFloat = [](const Vec& v, std::size_t i) { return v.number(i); };
constexpr auto kText = [](const Vec& v, std::size_t i) { return v.view(i); };

template <class Op>
Kernel comparison_of(Type type) {
  if (type == Type::Float) return [](const Args& a) { return compare_with(a, kFloat, Op{}); };
  if (type == Type::String || type == Type::Bytes) {
    return [](const Args& a) { return compare_with(a, kText, Op{}); };
  }
  return [](const Args& a) { return compare_with(a, kInt, Op{}); };
}

/// One of two rows of two vectors of the same type: −1, 0, 1.
int order(const Vec& a, const Vec& b, std::size_t i) {
  if (a.is_text()) return a.view(i).compare(b.view(i));
  if (a.is_float()) return a.number(i) < b.number(i) ? -1 : a.number(i) > b.number(i) ? 1 : 0;
  return a.integer(i) < b.integer(i) ? -1 : a.integer(i) > b.integer(i) ? 1 : 0;
}

/// FALSE decides an AND, TRUE an OR, even beside a NULL.
template <bool Decides>
Vec logic(const Args& args) {
  auto out = Vec::make(Type::Bool, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    bool decided = false, unknown = false;
    for (const auto* arg : args.values) {
      const bool null = arg->null(i);
      unknown |= null;
      decided |= !null && (arg->integer(i) != 0) == Decides;
    }
    if (decided) {
      out.push_int(Decides);
    } else if (unknown) {
      out.push_null();
    } else {
      out.push_int(!Decides);
    }
  }
  return out;
}

Vec not_true(const Args& args) {
  return map_ints(args, Type::Bool, [&](std::size_t i) { return args[0].integer(i) == 0; });
}

template <bool Negated>
Vec null_test(const Args& args) {
  auto out = Vec::make(Type::Bool, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) out.push_int(args[0].null(i) != Negated);
  return out;
}

Vec in_any(const Args& args) {
  auto out = Vec::make(Type::Bool, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    bool found = false, unknown = args[0].null(i);
    for (std::size_t k = 1; k < args.size() && !found && !args[0].null(i); ++k) {
      if (args[k].null(i)) {
        unknown = true;
      } else {
        found = order(args[0], args[k], i) == 0;
      }
    }
    if (found || !unknown) {
      out.push_int(found);
    } else {
      out.push_null();
    }
  }
  return out;
}

std::size_t code_point(std::string_view text, std::size_t at) {
  std::size_t n = 1;
  while (at + n < text.size() && (static_cast<unsigned char>(text[at + n]) & 0xC0) == 0x80) ++n;
  return n;
}

/// `%` any text, `_` one character. Going back only to the last `%` keeps it linear enough:
/// |text| · |pattern| at worst, never exponential.
bool matches(std::string_view text, std::string_view pattern) {
  std::size_t t = 0, p = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == '_') {
      t += code_point(text, t);
      ++p;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++t;
      ++p;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = resume += code_point(text, resume);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

Vec like_pattern(const Args& args) {
  return map_ints(args, Type::Bool,
                  [&](std::size_t i) { return matches(args[0].view(i), args[1].view(i)); });
}

template <Type T>
Vec choose_branch(const Args& args) {
  auto out = Vec::make(T, args.rows);
  const bool has_else = args.size() % 2 == 1;
  for (std::size_t i = 0; i < args.rows; ++i) {
    std::size_t k = 0;
    while (k + 1 < args.size() && !args[k].truth(i)) k += 2;
    if (k + 1 < args.size()) {
      out.push_from(args[k + 1], i);
    } else if (has_else) {
      out.push_from(args[args.size() - 1], i);
    } else {
      out.push_null();
    }
  }
  return out;
}

template <Type T>
Vec first_value(const Args& args) {
  auto out = Vec::make(T, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    std::size_t k = 0;
    while (k + 1 < args.size() && args[k].null(i)) ++k;
    out.push_from(args[k], i);
  }
  return out;
}

template <Type T>
Vec null_if_equal(const Args& args) {
  auto out = Vec::make(T, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const bool both = !args[0].null(i) && !args[1].null(i);
    if (both && order(args[0], args[1], i) == 0) {
      out.push_null();
    } else {
      out.push_from(args[0], i);
    }
  }
  return out;
}

/// NULLs are ignored, as in DuckDB and PostgreSQL.
template <Type T, int Sign>
Vec extreme(const Args& args) {
  auto out = Vec::make(T, args.rows);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const Vec* best = nullptr;
    for (const auto* arg : args.values) {
      if (arg->null(i)) continue;
      if (best == nullptr || order(*arg, *best, i) * Sign > 0) best = arg;
    }
    if (best != nullptr) {
      out.push_from(*best, i);
    } else {
      out.push_null();
    }
  }
  return out;
}

template <template <Type> class Of>
Kernel by_type(Type type) {
  switch (type) {
    case Type::Bool:
      return Of<Type::Bool>::run;
    case Type::Int:
      return Of<Type::Int>::run;
    case Type::String:
      return Of<Type::String>::run;
    case Type::Bytes:
      return Of<Type::Bytes>::run;
    default:
      return Of<Type::Float>::run;
  }
}

template <Type T>
struct Choose {
  static Vec run(const Args& args) { return choose_branch<T>(args); }
};
template <Type T>
struct First {
  static Vec run(const Args& args) { return first_value<T>(args); }
};
template <Type T>
struct NullIf {
  static Vec run(const Args& args) { return null_if_equal<T>(args); }
};
template <Type T>
struct Greatest {
  static Vec run(const Args& args) { return extreme<T, 1>(args); }
};
template <Type T>
struct Least {
  static Vec run(const Args& args) { return extreme<T, -1>(args); }
};

}  // namespace

Kernel comparison(std::string_view op, Type type) {
  if (op == "=") return comparison_of<std::equal_to<>>(type);
  if (op == "<>") return comparison_of<std::not_equal_to<>>(type);
  if (op == "<") return comparison_of<std::less<>>(type);
  if (op == "<=") return comparison_of<std::less_equal<>>(type);
  if (op == ">") return comparison_of<std::greater<>>(type);
  return comparison_of<std::greater_equal<>>(type);
}

Kernel conjunction() { return logic<false>; }
Kernel disjunction() { return logic<true>; }
Kernel negation() { return not_true; }
Kernel is_null(bool negated) { return negated ? null_test<true> : null_test<false>; }
Kernel in_list(Type) { return in_any; }
Kernel like() { return like_pattern; }
Kernel case_when(Type type) { return by_type<Choose>(type); }
Kernel coalesce(Type type) { return by_type<First>(type); }
Kernel null_if(Type type) { return by_type<NullIf>(type); }
Kernel greatest(Type type) { return by_type<Greatest>(type); }
Kernel least(Type type) { return by_type<Least>(type); }

}  // namespace infiniedge::stream::kernels
