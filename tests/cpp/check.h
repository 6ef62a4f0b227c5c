// SPDX-License-Identifier: Apache-2.0
//
// Checks for the C++ test programs. A failed check prints where and what, and the program goes on;
// main() returns check_result(), which is 1 if any failed. Thread-safe.
#ifndef ACLRT_TESTS_CPP_CHECK_H
#define ACLRT_TESTS_CPP_CHECK_H

#include <atomic>
#include <iostream>
#include <sstream>
#include <string>

namespace check {

inline std::atomic<int> failures{0};
inline std::atomic<int> checks{0};

inline bool report(bool ok, const char *file, int line, const std::string &text) {
  ++checks;
  if (!ok) {
    ++failures;
    std::cerr << file << ":" + std::to_string(line) + ": " + text + "\n";
  }
  return ok;
}

template <class A, class B>
bool equal(const A &expected, const B &got, const char *file, int line, const char *text) {
  std::ostringstream out;
  out << text << ": expected " << expected << ", got " << got;
  return report(expected == got, file, line, out.str());
}

inline int result() {
  std::cout << checks << " checks, " << failures << " failed\n";
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(condition) check::report((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(expected, got) check::equal((expected), (got), __FILE__, __LINE__, #got)

// The statement throws Type, and the check named `then` (may use `error`) holds of it.
#define CHECK_THROWS(Type, statement, then)                                                  \
  do {                                                                                       \
    bool thrown = false;                                                                     \
    try {                                                                                    \
      statement;                                                                             \
    } catch (const Type &error) {                                                            \
      thrown = true;                                                                         \
      CHECK(then);                                                                           \
    } catch (const std::exception &error) {                                                  \
      check::report(false, __FILE__, __LINE__, std::string("other error: ") + error.what()); \
      thrown = true;                                                                         \
    }                                                                                        \
    check::report(thrown, __FILE__, __LINE__, "no " #Type " from: " #statement);             \
  } while (false)

#endif
