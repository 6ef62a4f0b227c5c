// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON into a string. Commas come by themselves; the caller opens, closes and names in the
// right order. Strings may hold any bytes: what is not valid UTF-8 becomes U+FFFD, so that the
// result always parses. Not thread-safe; throws std::bad_alloc alone.
#ifndef ACLRT_OM_JSON_WRITER_H
#define ACLRT_OM_JSON_WRITER_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace om {

class JsonWriter {
 public:
  JsonWriter &begin_object() { return open('{'); }
  JsonWriter &end_object() { return close('}'); }
  JsonWriter &begin_array() { return open('['); }
  JsonWriter &end_array() { return close(']'); }

  JsonWriter &key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
    needs_comma_ = false;
    return *this;
  }

  JsonWriter &value(std::string_view text) {
    separate();
    quote(text);
    return done();
  }
  JsonWriter &value(const char *text) { return value(std::string_view(text)); }
  JsonWriter &value(const std::string &text) { return value(std::string_view(text)); }

  JsonWriter &value(bool flag) { return raw(flag ? "true" : "false"); }
  JsonWriter &null() { return raw("null"); }

  template <typename T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool> &&
                                             !std::is_same_v<T, char>,
                                         int> = 0>
  JsonWriter &value(T number) {
    return raw(std::to_string(number));
  }

  // JSON has no infinities and no NaN: they become null.
  JsonWriter &value(double number) {
    if (!std::isfinite(number)) return null();
    char buffer[32];
    const int length = std::snprintf(buffer, sizeof buffer, "%.17g", number);
    for (int i = 0; i < length; ++i) {
      if (buffer[i] == ',') buffer[i] = '.';  // the process's locale may say so
    }
    return raw(buffer);
  }

  template <typename T>
  JsonWriter &field(std::string_view name, const T &content) {
    key(name);
    return value(content);
  }

  // The text so far; the writer is empty afterwards.
  std::string take() {
    needs_comma_ = false;
    return std::exchange(text_, {});
  }

 private:
  JsonWriter &open(char bracket) {
    separate();
    text_ += bracket;
    needs_comma_ = false;
    return *this;
  }
  JsonWriter &close(char bracket) {
    text_ += bracket;
    return done();
  }
  JsonWriter &raw(std::string_view text) {
    separate();
    text_ += text;
    return done();
  }
  JsonWriter &done() {
    needs_comma_ = true;
    return *this;
  }
  void separate() {
    if (needs_comma_) text_ += ',';
    needs_comma_ = false;
  }

  // Length of the valid UTF-8 sequence at the start of text; 0 if there is none.
  static size_t utf8_length(std::string_view text) {
    const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = at(0);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4 || length > text.size()) return 0;
    for (size_t i = 1; i < length; ++i) {
      if ((at(i) & 0xC0) != 0x80) return 0;
    }
    if (lead == 0xE0 && at(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && at(1) > 0x9F) return 0;  // surrogate
    if (lead == 0xF0 && at(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && at(1) > 0x8F) return 0;  // beyond U+10FFFF
    return length;
  }

  void quote(std::string_view text) {
    text_ += '"';
    while (!text.empty()) {
      const size_t length = utf8_length(text);
      const auto first = static_cast<unsigned char>(text[0]);
      if (length == 0) {
        text_ += "\xEF\xBF\xBD";
      } else if (first == '"' || first == '\\') {
        text_ += '\\';
        text_ += text[0];
      } else if (first < 0x20 || first == 0x7F) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(first));
        text_ += escape;
      } else {
        text_ += text.substr(0, length);
      }
      text.remove_prefix(length == 0 ? 1 : length);
    }
    text_ += '"';
  }

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace om

#endif
