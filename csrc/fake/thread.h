// SPDX-License-Identifier: Apache-2.0
//
// What the fake keeps per thread: chosen context, messages, last error. Usable even while the
// thread ends or the process exits (static destructors of clients call us): then it is made anew
// and leaked.
#ifndef ACLRT_FAKE_THREAD_H
#define ACLRT_FAKE_THREAD_H

#include <memory>
#include <string>

#include "acl/abi.h"

namespace aclfake {

class Context;

struct ThreadState {
  std::shared_ptr<Context> context;
  bool chose = false;               // the thread has ever selected a device or context
  std::string messages;             // newest first
  std::string given;                // what aclGetRecentErrMsg returned last
  std::string *diverted = nullptr;  // where messages go instead, if set
  const char *task = nullptr;       // what a stream's worker is doing
  unsigned added = 0;
  aclError last_error = ACL_SUCCESS;
};

ThreadState &this_thread();

}  // namespace aclfake

#endif
