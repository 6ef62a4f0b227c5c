// SPDX-License-Identifier: Apache-2.0
#include "fake/json_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace aclfake {
namespace {

constexpr int kMaxDepth = 16;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  JsonValue document() {
    JsonValue value = read(0);
    blanks();
    if (at_ != text_.size()) stop("text after the end");
    return value;
  }

 private:
  [[noreturn]] void stop(const std::string &what) const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<int64_t>(at_), '\n');
    throw std::runtime_error("line " + std::to_string(line) + ": " + what);
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void blanks() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
  }

  bool take(char symbol) {
    blanks();
    if (peek() != symbol || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  void expect(char symbol) {
    if (!take(symbol)) stop(std::string("expected '") + symbol + "'");
  }

  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  JsonValue read(int depth) {
    if (depth > kMaxDepth) stop("nested too deeply");
    blanks();
    JsonValue value;
    if (peek() == '{') {
      value.type = JsonValue::Type::kObject;
      object(&value, depth);
    } else if (peek() == '[') {
      value.type = JsonValue::Type::kArray;
      array(&value, depth);
    } else if (peek() == '"') {
      value.type = JsonValue::Type::kString;
      value.text = string();
    } else if (take_word("true")) {
      value.type = JsonValue::Type::kBool;
      value.flag = true;
    } else if (take_word("false")) {
      value.type = JsonValue::Type::kBool;
    } else if (!take_word("null")) {
      value.type = JsonValue::Type::kNumber;
      value.number = number();
    }
    return value;
  }

  void object(JsonValue *value, int depth) {
    expect('{');
    if (take('}')) return;
    do {
      blanks();
      std::string name = string();
      if (value->member(name) != nullptr) stop("\"" + name + "\" twice");
      expect(':');
      value->members.emplace_back(std::move(name), read(depth + 1));
    } while (take(','));
    expect('}');
  }

  void array(JsonValue *value, int depth) {
    expect('[');
    if (take(']')) return;
    do {
      value->items.push_back(read(depth + 1));
    } while (take(','));
    expect(']');
  }

  std::string string() {
    if (!take('"')) stop("expected a string");
    std::string result;
    while (peek() != '"') {
      if (static_cast<unsigned char>(peek()) < 0x20) stop("unfinished string");
      if (peek() == '\\') {
        ++at_;
        if (peek() != '"' && peek() != '\\' && peek() != '/') stop("unsupported escape");
      }
      result += text_[at_++];
    }
    ++at_;
    return result;
  }

  // By hand: strtod goes by the process's locale.
  double number() {
    const size_t start = at_;
    const bool negative = take_word("-");
    double result = 0;
    const size_t digits = read_digits(&result);
    if (digits == 0) {
      at_ = start;
      stop("expected a value");
    }
    if (take_word(".")) {
      double scale = 0.1;
      if (peek() < '0' || peek() > '9') stop("expected a digit");
      for (; peek() >= '0' && peek() <= '9'; ++at_, scale /= 10) result += (peek() - '0') * scale;
    }
    if (take_word("e") || take_word("E")) {
      const bool down = take_word("-");
      if (!down) take_word("+");
      double exponent = 0;
      if (read_digits(&exponent) == 0) stop("expected a digit");
      result *= std::pow(10.0, down ? -exponent : exponent);
    }
    return negative ? -result : result;
  }

  size_t read_digits(double *value) {
    const size_t start = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) *value = *value * 10 + (peek() - '0');
    return at_ - start;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const JsonValue *JsonValue::member(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto &entry) { return entry.first == name; });
  return found != members.end() ? &found->second : nullptr;
}

JsonValue read_json(std::string_view text) {
  return Reader(text).document();
}

}  // namespace aclfake
