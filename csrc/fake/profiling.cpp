// SPDX-License-Identifier: Apache-2.0
#include "fake/profiling.h"

#include <map>
#include <mutex>

#include "fake/model.h"
#include "fake/state.h"

namespace aclfake {
namespace {

const char *sort_name(ProfilingObject::Sort sort) {
  switch (sort) {
    case ProfilingObject::Sort::kConfig:
      return "profiling config";
    case ProfilingObject::Sort::kSubscribeConfig:
      return "subscribe config";
    case ProfilingObject::Sort::kStamp:
      return "stamp";
    default:
      return "step info";
  }
}

struct Session {
  std::mutex mutex;
  bool begun = false;
  std::map<uint32_t, std::weak_ptr<Model>> subscribed;
};
Session &session() {
  static Session *const session = new Session;
  return *session;
}

// Forgets the models that were unloaded meanwhile. The session's mutex is held.
bool anything_subscribed(Session &session) {
  for (auto id = session.subscribed.begin(); id != session.subscribed.end();) {
    const std::shared_ptr<Model> model = id->second.lock();
    id = model != nullptr && !model->unloaded() ? std::next(id) : session.subscribed.erase(id);
  }
  return !session.subscribed.empty();
}

size_t drop_profiling() {
  Session &all = session();
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    all.begun = false;
    all.subscribed.clear();
  }
  return handles<ProfilingObject>().clear();
}
const bool registered = at_reset(drop_profiling);

}  // namespace

void *make_profiling_object(ProfilingObject::Sort sort, uint64_t data_types) {
  return handles<ProfilingObject>().insert(
      std::make_shared<ProfilingObject>(ProfilingObject{sort, data_types}));
}

aclError need_profiling_object(const void *handle, ProfilingObject::Sort sort,
                               std::shared_ptr<ProfilingObject> *object) {
  if (const aclError code = need_handle(handle, sort_name(sort), object)) return code;
  if ((*object)->sort == sort) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "%s %p is a %s", sort_name(sort), handle,
              sort_name((*object)->sort));
}

aclError destroy_profiling_object(const void *handle, ProfilingObject::Sort sort) {
  std::shared_ptr<ProfilingObject> object;
  if (const aclError code = need_profiling_object(handle, sort, &object)) return code;
  return destroy_handle<ProfilingObject>(handle, sort_name(sort));
}

aclError begin_profiling() {
  Session &all = session();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (all.begun) return fail(ACL_ERROR_REPEAT_INITIALIZE, "profiling is initialised already");
  if (anything_subscribed(all)) {
    return fail(ACL_ERROR_PROF_API_CONFLICT, "a model is subscribed; unsubscribe it first");
  }
  all.begun = true;
  return ACL_SUCCESS;
}

bool profiling_begun() {
  Session &all = session();
  std::lock_guard<std::mutex> lock(all.mutex);
  return all.begun;
}

void end_profiling() {
  Session &all = session();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.begun = false;
}

aclError subscribe_model(uint32_t id) {
  std::shared_ptr<Model> model;
  if (const aclError code = need_model(id, &model)) return code;
  Session &all = session();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (all.begun) {
    return fail(ACL_ERROR_PROF_API_CONFLICT, "profiling was begun by aclprofInit or aclprofStart");
  }
  anything_subscribed(all);  // an id may have been given anew
  if (all.subscribed.emplace(id, model).second) return ACL_SUCCESS;
  return fail(ACL_ERROR_PROF_REPEAT_SUBSCRIBE, "model %u is subscribed already", id);
}

aclError unsubscribe_model(uint32_t id) {
  std::shared_ptr<Model> model;
  if (const aclError code = need_model(id, &model)) return code;
  Session &all = session();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (all.subscribed.erase(id) != 0) return ACL_SUCCESS;
  return fail(ACL_ERROR_INVALID_PARAM, "model %u is not subscribed", id);
}

}  // namespace aclfake
