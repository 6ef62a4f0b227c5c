// SPDX-License-Identifier: Apache-2.0
//
// Which libascendcl to load. The order: named by the caller or $ACLRT_LIBASCENDCL; a copy already
// mapped into the process; CANN by its environment variables, install roots, extra prefixes and
// conda; the dynamic loader's own path; the fake. Each place looked at leaves a line in the trail.
// A real library and the fake never live in one process: a mix is refused here.
#ifndef ACLRT_ACL_SEARCH_H
#define ACLRT_ACL_SEARCH_H

#include <string>
#include <vector>

namespace aclrt::acl {

enum class Backend { kAuto, kNpu, kFake };

struct Request {
  Backend backend = Backend::kAuto;
  std::string library;   // named by the caller; wins over $ACLRT_LIBASCENDCL
  std::string prefixes;  // ':' between further roots
  // Ask the dynamic loader by bare name, which loads what it finds. Without it, a dry run.
  bool ask_loader = true;
  // The machine, replaced in tests.
  std::vector<std::string> install_roots;  // empty: /usr/local/Ascend and $HOME/Ascend
  std::string fake_path;                   // empty: fake/libascendcl.so beside this library
};

struct Found {
  std::string path;  // "" if nothing was chosen: refusal says why
  std::string reason;
  std::string trail;  // "<place>: <outcome>", one a line
  std::string refusal;
  std::string detail;  // the dynamic loader's words, where it refused
  std::string hint;
  bool is_fake = false;
  bool is_default = false;  // the fake, because nothing was asked for and nothing else was found
};

// Never throws anything but bad_alloc.
Found search(const Request &request);

// fake/libascendcl.so in the folder of the library (or program) that this code is part of.
std::string bundled_fake_path();

}  // namespace aclrt::acl

#endif
