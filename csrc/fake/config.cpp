// SPDX-License-Identifier: Apache-2.0
#include "fake/config.h"

#include <sys/stat.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

#include "fake/messages.h"

namespace aclfake {
namespace {

constexpr off_t kMaxFile = off_t{10} << 20;
constexpr int kMaxNesting = 10;  // objects and arrays counted apart

struct JsonError : std::runtime_error {
  JsonError(const std::string &what, size_t at)
      : std::runtime_error(what + " at byte " + std::to_string(at)) {}
};

// A checked document: strings (undecoded escapes kept as they are) and objects; the rest is kind
// alone.
struct Value {
  enum class Type { kObject, kArray, kString, kOther } type = Type::kOther;
  std::string text;
  std::map<std::string, Value> members;

  const Value *member(const std::string &name) const {
    const auto found = members.find(name);
    return found == members.end() ? nullptr : &found->second;
  }
};

class Parser {
 public:
  explicit Parser(const std::string &text) : text_(text) {
    if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;
  }

  Value document() {
    Value result = value();
    blanks();
    if (at_ != text_.size()) throw JsonError("text after the document", at_);
    return result;
  }

 private:
  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }

  void blanks() {
    while (at_ < text_.size() && std::string(" \t\r\n").find(text_[at_]) != std::string::npos) {
      ++at_;
    }
  }

  void expect(char symbol) {
    blanks();
    if (peek() != symbol) throw JsonError(std::string("expected '") + symbol + "'", at_);
    ++at_;
  }

  bool take(char symbol) {
    blanks();
    if (peek() != symbol) return false;
    ++at_;
    return true;
  }

  Value value() {
    blanks();
    Value result;
    switch (peek()) {
      case '{':
        result.type = Value::Type::kObject;
        object(&result);
        return result;
      case '[':
        result.type = Value::Type::kArray;
        array();
        return result;
      case '"':
        result.type = Value::Type::kString;
        result.text = string();
        return result;
      case 't':
        return word("true"), result;
      case 'f':
        return word("false"), result;
      case 'n':
        return word("null"), result;
      default:
        return number(), result;
    }
  }

  void object(Value *result) {
    if (++objects_ > kMaxNesting) throw JsonError("more than 10 nested objects", at_);
    expect('{');
    if (!take('}')) {
      do {
        blanks();
        std::string name = string();
        expect(':');
        result->members[std::move(name)] = value();
      } while (take(','));
      expect('}');
    }
    --objects_;
  }

  void array() {
    if (++arrays_ > kMaxNesting) throw JsonError("more than 10 nested arrays", at_);
    expect('[');
    if (!take(']')) {
      do {
        value();
      } while (take(','));
      expect(']');
    }
    --arrays_;
  }

  std::string string() {
    if (peek() != '"') throw JsonError("expected a string", at_);
    ++at_;
    const size_t start = at_;
    while (peek() != '"') {
      const int symbol = peek();
      if (symbol < 0x20) throw JsonError("unfinished string", at_);
      ++at_;
      if (symbol == '\\') escape();
    }
    return text_.substr(start, at_++ - start);
  }

  void escape() {
    const int symbol = peek();
    if (symbol < 0 ||
        std::string("\"\\/bfnrtu").find(static_cast<char>(symbol)) == std::string::npos) {
      throw JsonError("bad escape", at_);
    }
    ++at_;
    if (symbol != 'u') return;
    for (int digit = 0; digit < 4; ++digit, ++at_) {
      if (peek() < 0 || std::isxdigit(peek()) == 0) throw JsonError("bad \\u escape", at_);
    }
  }

  void word(const char *expected) {
    for (const char *symbol = expected; *symbol != '\0'; ++symbol, ++at_) {
      if (peek() != *symbol) throw JsonError(std::string("expected ") + expected, at_);
    }
  }

  void digits() {
    if (peek() < '0' || peek() > '9') throw JsonError("expected a value", at_);
    while (peek() >= '0' && peek() <= '9') ++at_;
  }

  void number() {
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    if (peek() == '.') {
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
  }

  const std::string &text_;
  size_t at_ = 0;
  int objects_ = 0;
  int arrays_ = 0;
};

aclError read_file(const char *path, std::string *text) {
  struct stat info{};
  if (stat(path, &info) != 0) {
    return fail(ACL_ERROR_INVALID_FILE, "the configuration file %s cannot be found", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ACL_ERROR_INVALID_FILE, "%s is not a regular file", path);
  }
  if (info.st_size > kMaxFile) {
    return fail(ACL_ERROR_INVALID_FILE, "%s has %lld bytes, more than 10 MiB", path,
                static_cast<long long>(info.st_size));
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path, "rbe"),
                                                              &std::fclose);
  if (file == nullptr) {
    return fail(ACL_ERROR_INVALID_FILE, "the configuration file %s cannot be read", path);
  }
  char block[4096];
  size_t count;
  while ((count = std::fread(block, 1, sizeof block, file.get())) > 0) text->append(block, count);
  if (std::ferror(file.get()) != 0) {
    return fail(ACL_ERROR_INVALID_FILE, "the configuration file %s cannot be read", path);
  }
  return ACL_SUCCESS;
}

aclError read_default_device(const Value &section, int32_t *device) {
  const Value *number = section.member("default_device");
  const std::string text = number != nullptr ? number->text : "";
  const bool good = number != nullptr && number->type == Value::Type::kString && !text.empty() &&
                    text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos &&
                    (text == "0" || text[0] != '0');
  if (!good) {
    return fail(ACL_ERROR_FAILURE,
                "defaultDevice needs \"default_device\" with a device number as a string");
  }
  *device = std::atoi(text.c_str());
  return ACL_SUCCESS;
}

}  // namespace

aclError read_config(const char *path, Config *config) {
  if (path == nullptr || path[0] == '\0') return ACL_SUCCESS;
  if (const aclError code = read_file(path, &config->text)) return code;
  if (config->text.empty()) return ACL_SUCCESS;
  Value document;
  try {
    document = Parser(config->text).document();
  } catch (const JsonError &error) {
    return fail(ACL_ERROR_PARSE_FILE, "%s: %s", path, error.what());
  }
  if (const Value *mode = document.member("err_msg_mode")) {
    if (mode->type != Value::Type::kString || (mode->text != "0" && mode->text != "1")) {
      return fail(ACL_ERROR_INVALID_PARAM, "err_msg_mode has to be \"0\" or \"1\"");
    }
    config->process_messages = mode->text == "1";
  }
  if (const Value *section = document.member("defaultDevice")) {
    return read_default_device(*section, &config->default_device);
  }
  return ACL_SUCCESS;
}

}  // namespace aclfake
