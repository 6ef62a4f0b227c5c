// SPDX-License-Identifier: Apache-2.0
//
// open, fstat, mmap.
#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace aclrt {

MappedFile::MappedFile(const std::string &path) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw io_error(errno, "cannot open " + path);
  struct stat info{};
  int error = fstat(file, &info) != 0 ? errno : 0;
  if (error == 0 && S_ISDIR(info.st_mode)) error = EISDIR;
  const bool is_special = error == 0 && !S_ISREG(info.st_mode);
  if (error == 0 && !is_special && info.st_size > 0) {
    size_ = static_cast<size_t>(info.st_size);
    data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (data_ == MAP_FAILED) {
      error = errno;
      data_ = nullptr;
    }
  }
  close(file);
  if (is_special) {
    Error refused = io_error(EINVAL, "");
    refused.message = path + " is no regular file";  // "Invalid argument" would say less
    throw refused;
  }
  if (error != 0) throw io_error(error, "cannot read " + path);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace aclrt
