// SPDX-License-Identifier: Apache-2.0
//
// aclrt.hpp as an embedder uses it: feeding by name and position, the errors of wrong feeding, and
// who owns what. argv[1]: the folder that make_models.py wrote.
#include <aclrt/aclrt.hpp>
#include <aclrt/aclrt.hpp>  // twice: it must guard itself
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <thread>

#include "check.h"

std::string other_unit();  // another translation unit with the same header

static_assert(!std::is_copy_constructible_v<aclrt::Model> &&
              std::is_nothrow_move_constructible_v<aclrt::Model>);
static_assert(!std::is_copy_constructible_v<aclrt::Device> &&
              std::is_nothrow_move_constructible_v<aclrt::Device>);
static_assert(!std::is_copy_constructible_v<aclrt::Tensor> &&
              std::is_nothrow_move_constructible_v<aclrt::Tensor>);
static_assert(aclrt::dtype_of<aclrt::half>::value == ACLRT_DTYPE_FLOAT16);
static_assert(!std::is_constructible_v<aclrt::InputView, std::vector<bool> &>);
static_assert(!std::is_constructible_v<aclrt::OutputView, const std::vector<float> &>);
static_assert(std::is_constructible_v<aclrt::InputView, const std::vector<float> &>);
static_assert(std::is_constructible_v<aclrt::InputView, std::array<int8_t, 3>>);

namespace {

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

void describes_the_model(const std::string &folder) {
  aclrt::Model model(folder + "/digits.om");
  CHECK_EQ(1u, model.inputs().size());
  const aclrt::TensorSpec &image = model.inputs()[0];
  CHECK_EQ("image", image.name);
  CHECK(image.dtype == ACLRT_DTYPE_FLOAT32);
  CHECK((image.shape == aclrt::Shape{1, 1, 8, 8}));
  CHECK_EQ(256u, image.nbytes);
  CHECK_EQ("probs", model.outputs().at(0).name);
  CHECK(contains(model.outputs()[0].acl_name, "probs"));
  CHECK_EQ(1, model.info().is_simulated);
  CHECK(contains(aclrt::inspect(folder + "/digits.om"), "\"image\""));
  CHECK_EQ("fake", std::string(aclrt::runtime::info().backend));
  CHECK(!aclrt::runtime::search().empty());
  CHECK_EQ(aclrt::version(), other_unit());
  CHECK_EQ(std::string(aclrt_version()), aclrt::version());
}

void instances_are_warmed_and_weighed(const std::string &folder) {
  aclrt::ModelOptions options;
  options.instances = 2;
  aclrt::Model model(folder + "/digits.om", options);
  model.warm_up(2);
  const aclrt_memory_stats_t all = model.memory_stats();
  CHECK_EQ(all.buffers, model.memory_stats(0).buffers + model.memory_stats(1).buffers);
  CHECK_EQ(all.peak, all.weights + all.work + all.buffers);
  CHECK_EQ(2u, model.info().instance_count);
  try {
    model.memory_stats(2);
    CHECK(false);
  } catch (const aclrt::Error &error) {
    CHECK(contains(error.what(), "there is no instance 2"));
  }
  aclrt_memory_stats_t unread;
  for (aclrt_status_t *status :
       {aclrt_model_memory_stats(nullptr, -1, &unread), aclrt_model_warm_up(nullptr, 1)}) {
    CHECK_EQ(ACLRT_ERROR_INPUT, aclrt_status_error(status).kind);
    aclrt_status_release(status);
  }
}

void the_shape_selects_the_gear(const std::string &folder) {
  aclrt::Model model(folder + "/gears.om");
  CHECK_EQ(3u, model.gears().size());
  CHECK((model.gears()[1].values == aclrt::Shape{2}));
  CHECK((model.gears()[1].inputs[0] == aclrt::Shape{2, 3}));
  CHECK((model.gears()[1].outputs[0] == aclrt::Shape{2, 3}));
  CHECK((model.inputs()[0].shape == aclrt::Shape{-1, 3}));
  CHECK(model.inputs()[0].range.at(0) == std::make_pair(int64_t{1}, int64_t{4}));
  CHECK(model.inputs()[0].is_dynamic());
  std::vector<float> x{1, 2, 3, 4, 5, 6};
  for (int i = 0; i < 2; ++i) {
    const auto told = model.run({{"x", {x, {2, 3}}}});
    const auto left = model(x);  // one dim varies: the size tells it
    CHECK((told[0].shape() == aclrt::Shape{2, 3}));
    CHECK((left[0].shape() == aclrt::Shape{2, 3}));
    CHECK_EQ(-6.0f, left[0].as<float>()[5]);
    const std::array<float, 3> one{7, 8, 9};
    const auto single = model(one);
    CHECK((single[0].shape() == aclrt::Shape{1, 3}));
  }
  std::vector<float> y(6);
  std::vector<aclrt::Shape> shapes;
  model.run_into({{"x", x}}, {{"y", y}}, &shapes);
  CHECK_EQ(-6.0f, y[5]);
  CHECK((shapes[0] == aclrt::Shape{2, 3}));
  CHECK_THROWS(aclrt::InputError, model.run({{"x", {std::vector<float>(9), {3, 3}}}}),
               contains(error.message(), "the gears are: x (1, 3); x (2, 3); x (4, 3)"));
  CHECK_THROWS(aclrt::InputError, model(std::vector<float>(4)),
               contains(error.message(), "cannot be told"));
  std::vector<float> small(3);
  CHECK_THROWS(aclrt::InputError, model.run_into({{"x", x}}, {{"y", small}}),
               contains(error.message(), "has 24 bytes, a buffer of 12"));
}

void a_range_gives_real_shapes(const std::string &folder) {
  aclrt::Model model(folder + "/range.om");
  CHECK(model.gears().empty());
  CHECK_EQ(ACLRT_DYNAMIC_RANGE, model.info().dynamic);
  for (const int64_t length : {2, 90, 5}) {
    const std::vector<float> x(static_cast<size_t>(3 * length), 2.0f);
    const auto out = model.run({{"x", {x, {3, length}}}});
    CHECK((out[0].shape() == aclrt::Shape{3, length}));
    CHECK_EQ(-2.0f, out["y"].as<float>()[x.size() - 1]);
  }
  CHECK_THROWS(aclrt::InputError, model(std::vector<float>(4)),
               contains(error.message(), "cannot be told"));
  CHECK_THROWS(aclrt::InputError, model.run({{"x", {std::vector<float>(5), {5, 1}}}}),
               contains(error.message(), "1 to 4"));
}

void runs_by_name_and_by_position(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  const std::vector<float> a{1, 2, 3, 4, 5, 6};
  const std::array<float, 6> b{10, 20, 30, 40, 50, 60};
  auto out = model.run({{"b", b}, {"a", a}});
  CHECK_EQ(2u, out.size());
  const auto sum = out["sum"].as<float>();
  CHECK_EQ(66.0f, sum[5]);
  CHECK_EQ(6u, sum.size());
  CHECK_EQ(2u, sum.shape().size());
  CHECK_EQ(3, sum.shape()[1]);
  CHECK_EQ(-54.0f, out[1].as<float>()[5]);
  CHECK_EQ(11.0f, out[model.outputs()[0].acl_name].as<float>()[0]);

  auto positional = model(a, b);
  CHECK_EQ(66.0f, positional["sum"].as<float>()[5]);
  std::vector<aclrt::Input> listed{{"a", {a, {2, 3}}}, {"b", {b.data(), b.size()}}};
  auto again = model.run(listed);
  CHECK_EQ(22.0f, again["sum"].as<float>()[1]);
  auto chained = model(again["sum"].as<float>(), b);  // an output as the next input
  CHECK_EQ(21.0f, chained["sum"].as<float>()[0]);
}

void runs_into_the_callers_buffers(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  const std::vector<float> a(6, 1.0f), b(6, 2.0f);
  std::vector<float> sum(6);
  float difference[6];
  std::vector<aclrt::Shape> shapes;
  model.run_into({{"a", a}, {"b", b}}, {{"difference", difference}, {"sum", sum}}, &shapes);
  CHECK_EQ(3.0f, sum[5]);
  CHECK_EQ(-1.0f, difference[5]);
  CHECK((shapes == std::vector<aclrt::Shape>{{2, 3}, {2, 3}}));
  CHECK_THROWS(aclrt::InputError, model.run_into({{"a", a}, {"b", b}}, {{"sum", sum}}),
               contains(error.message(), "output 'difference' is missing"));
  std::vector<float> small(5);
  CHECK_THROWS(aclrt::InputError,
               model.run_into({{"a", a}, {"b", b}}, {{"difference", difference}, {"sum", small}}),
               contains(error.message(), "got float32, 20 bytes"));
  CHECK_THROWS(aclrt::InputError,
               model.run_into({{"a", a}, {"b", b}}, {{"difference", sum}, {"sum", sum}}), true);
}

void carries_every_element_type(const std::string &folder) {
  aclrt::Model model(folder + "/types.om");
  const std::array<aclrt::half, 4> f16{{{0x3c00}, {0x0001}, {0x7bff}, {0x8000}}};
  const std::array<int8_t, 4> i8{-128, -1, 0, 127};
  const std::array<uint8_t, 4> u8{0, 1, 128, 255};
  const std::array<int64_t, 4> i64{INT64_MIN, -1, 0, INT64_MAX};
  const std::array<bool, 4> flag{true, false, true, true};
  auto out = model.run({{"flag", flag}, {"i64", i64}, {"u8", u8}, {"i8", i8}, {"f16", f16}});
  CHECK_EQ(0x7bff, out["f16_out"].as<aclrt::half>()[2].bits);
  CHECK_EQ(-128, static_cast<int>(out["i8_out"].as<int8_t>()[0]));
  CHECK_EQ(255, static_cast<int>(out["u8_out"].as<uint8_t>()[3]));
  CHECK_EQ(INT64_MIN, out["i64_out"].as<int64_t>()[0]);
  CHECK(!out["flag_out"].as<bool>()[1] && out["flag_out"].as<bool>()[3]);
  CHECK_EQ(8u, out["f16_out"].bytes().size());
  CHECK_THROWS(aclrt::InputError, out["f16_out"].as<uint16_t>(),
               contains(error.message(), "float16, not uint16"));
  const std::array<uint16_t, 4> bits{};
  CHECK_THROWS(aclrt::InputError, model(bits, i8, u8, i64, flag),
               contains(error.message(), "'f16': expected float16 (4,), 8 bytes; got uint16"));
  auto raw = model(aclrt::InputView(f16.data(), 8, ACLRT_DTYPE_FLOAT16), i8, u8, i64, flag);
  CHECK_EQ(1, raw["f16_out"].as<aclrt::half>()[1].bits);
}

void refuses_wrong_feeding(const std::string &folder) {
  aclrt::Model model(folder + "/digits.om");
  const std::vector<float> image(64);
  CHECK_THROWS(aclrt::InputError, model.run({{"imgae", image}}),
               error.kind() == ACLRT_ERROR_INPUT && contains(error.message(), "no input 'imgae'") &&
                   error.hint() == "did you mean 'image'?");
  CHECK_THROWS(aclrt::InputError, model.run({{"something_else", image}}),
               error.hint() == "there are: image");
  CHECK_THROWS(aclrt::InputError, model.run({}), contains(error.message(), "'image' is missing"));
  CHECK_THROWS(aclrt::InputError, model.run({{"image", image}, {"image", image}}),
               contains(error.message(), "given twice"));
  CHECK_THROWS(aclrt::InputError, model(image, image),
               contains(error.message(), "expected 1 inputs; got 2"));
  CHECK_THROWS(aclrt::InputError, model(std::vector<double>(64)),
               contains(error.message(), "expected float32 (1, 1, 8, 8), 256 bytes; got float64"));
  CHECK_THROWS(aclrt::InputError, model(std::vector<float>(63)),
               contains(error.message(), "252 bytes"));
  CHECK_THROWS(aclrt::InputError, model.run({{"image", {image, {8, 8}}}}),
               contains(error.message(), "got float32 (8, 8)"));
  auto out = model(image);
  CHECK_THROWS(aclrt::InputError, out["prob"], error.hint() == "did you mean 'probs'?");
  CHECK_THROWS(aclrt::InputError, out[1], contains(error.message(), "there are 1"));
  CHECK_THROWS(aclrt::InputError, out[0].as<double>(), contains(error.message(), "not float64"));
}

void reports_why_loading_failed(const std::string &folder) {
  CHECK_THROWS(aclrt::IoError, aclrt::Model(folder + "/absent.om"), error.code() == ENOENT);
  const std::string text = "this is not a model";
  const aclrt::span<const std::byte> bytes(reinterpret_cast<const std::byte *>(text.data()),
                                           text.size());
  CHECK_THROWS(aclrt::ModelFormatError, aclrt::Model{bytes}, !error.message().empty());
  aclrt::ModelOptions options;
  options.device_id = 4096;
  CHECK_THROWS(aclrt::DeviceError, aclrt::Model(folder + "/digits.om", options),
               error.code() != 0 && !error.call().empty() && contains(error.what(), error.name()));
}

void loads_from_memory(const std::string &folder) {
  std::ifstream file(folder + "/digits.om", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  aclrt::Model model(aclrt::span<const std::byte>(reinterpret_cast<const std::byte *>(bytes.data()),
                                                  bytes.size()));
  std::fill(bytes.begin(), bytes.end(), '\0');  // free to go after the call
  auto out = model(std::vector<float>(64));
  float total = 0;
  for (float p : out["probs"].as<float>()) total += p;
  CHECK(total > 0.999f && total < 1.001f);
}

void owns_and_moves(const std::string &folder) {
  aclrt::Model first(folder + "/digits.om");
  const std::vector<float> image(64, 0.5f);
  auto kept = first(image);
  aclrt::Model second = std::move(first);
  CHECK_THROWS(aclrt::ClosedError, first(image), contains(error.message(), "moved from"));
  auto moved = second(image);
  CHECK_EQ(kept[0].as<float>()[0], moved[0].as<float>()[0]);

  second.close();
  second.close();  // idempotent
  CHECK_THROWS(aclrt::ClosedError, second(image), error.kind() == ACLRT_ERROR_CLOSED);
  CHECK_EQ("probs", second.outputs()[0].name);  // the description outlives the model
  CHECK_EQ(10u, kept["probs"].as<float>().size());

  aclrt::Device device(0);
  aclrt::Model third(folder + "/digits.om");
  device.close();  // the model keeps the device
  CHECK_EQ(10u, third(image).begin()->as<float>().size());
  aclrt::Device other(0);
  CHECK(other.info().memory_total > 0 && other.info().id == 0);
}

void serves_threads(const std::string &folder) {
  aclrt::Model model(folder + "/add.om");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&model, t] {
      const std::vector<float> a(6, static_cast<float>(t)), b(6, 100.0f);
      for (int i = 0; i < 50; ++i) {
        auto out = model(a, b);
        CHECK_EQ(static_cast<float>(t) + 100.0f, out["sum"].as<float>()[5]);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  describes_the_model(folder);
  runs_by_name_and_by_position(folder);
  instances_are_warmed_and_weighed(folder);
  the_shape_selects_the_gear(folder);
  a_range_gives_real_shapes(folder);
  runs_into_the_callers_buffers(folder);
  carries_every_element_type(folder);
  refuses_wrong_feeding(folder);
  reports_why_loading_failed(folder);
  loads_from_memory(folder);
  owns_and_moves(folder);
  serves_threads(folder);
  CHECK(aclrt::fake::profile().find("\"soc_name\":") != std::string::npos);
  CHECK(aclrt::fake::trace().find("\"entries\":") != std::string::npos);
  char *checks = nullptr;
  CHECK(aclrt_fake_check_table(&checks) == nullptr);
  CHECK(checks != nullptr && std::string(checks).find("ACLFAKE-MDL-01") != std::string::npos);
  aclrt_string_release(checks);
  int32_t mode = -1;
  CHECK(aclrt_fake_set_checks(0, &mode) == nullptr);
  CHECK(mode == 0);
  aclrt_status_t *no_such_mode = aclrt_fake_set_checks(9, &mode);
  CHECK(aclrt_status_error(no_such_mode).kind == ACLRT_ERROR_INPUT);
  aclrt_status_release(no_such_mode);
  aclrt::fake::reset();  // refused if a model or a device were still open
  return check::result();
}
