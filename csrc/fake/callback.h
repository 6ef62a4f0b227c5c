// SPDX-License-Identifier: Apache-2.0
//
// Callbacks that run inside aclrtProcessReport on the thread that is bound to the stream. Thread
// ids are the client's numbers (pthread_self) and are not checked. Client code runs with no lock
// held.
#ifndef ACLRT_FAKE_CALLBACK_H
#define ACLRT_FAKE_CALLBACK_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "acl/abi.h"
#include "fake/stream.h"

namespace aclfake {

aclError subscribe_report(uint64_t thread, const std::shared_ptr<Stream> &stream);
aclError unsubscribe_report(uint64_t thread, const std::shared_ptr<Stream> &stream);
// The stream has a subscriber (107015) and is not in HostFunc mode (107011).
aclError launch_callback(aclrtCallback function, void *data, bool block,
                         const std::shared_ptr<Stream> &stream);
aclError process_report(int32_t timeout_ms);  // for the calling thread

// Unbinds a stream that ends; its pending callbacks are dropped.
void forget_reports(Stream &stream);

}  // namespace aclfake

#endif
