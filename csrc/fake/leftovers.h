// SPDX-License-Identifier: Apache-2.0
//
// What a client leaves behind, as checks: at aclFinalize (FIN-04 to FIN-16) and when a device is
// reset for the last time (DEV-03 to DEV-07). One report per kind, with its count and first origin.
#ifndef ACLRT_FAKE_LEFTOVERS_H
#define ACLRT_FAKE_LEFTOVERS_H

#include <memory>

#include "fake/context.h"
#include "fake/device.h"

namespace aclfake {

void report_left_at_finalize();
// Before the primary context ends; the caller holds the device's mutex.
void report_left_at_reset(const std::shared_ptr<Device> &device,
                          const std::shared_ptr<Context> &primary);

}  // namespace aclfake

#endif
