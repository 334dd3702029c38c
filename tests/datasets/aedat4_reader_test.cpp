// AEDAT4 files put together from flatbuffers, packet by packet, and written ones with bytes changed.
#include <string>
#include <vector>

#include "aedat4_generated.h"
#include <doctest/doctest.h>
#include <lz4frame.h>
#include <zstd.h>

#include "core/error.hpp"
#include "datasets/event_writer.hpp"
#include "tests/datasets/recording_bytes.hpp"
#include "tests/support/data_folder.hpp"

namespace synfire::datasets {
namespace {

using namespace test_bytes;

constexpr int kNone = 0, kLz4 = 1, kZstd = 3;

std::string buffer_of(const flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::string header(const std::string& xml, int compression = kNone, std::int64_t table_position = -1) {
  flatbuffers::FlatBufferBuilder builder;
  builder.FinishSizePrefixed(aedat4::CreateIoHeaderDirect(builder, compression, table_position, xml.c_str()), "IOHE");
  return "#!AER-DAT4.0\r\n" + buffer_of(builder);
}

std::string stream_xml(int id, const std::string& type, const std::string& size = "20") {
  const std::string number = std::to_string(id);
  const std::string attributes = size.empty() ? ""
                                              : R"(<attr key="sizeX" type="int">)" + size +
                                                    R"(</attr><attr key="sizeY" type="int">)" + size + "</attr>";
  return R"(<node name=")" + number + R"("><attr key="typeIdentifier" type="string">)" + type +
         R"(</attr><node name="info">)" + attributes + R"(<attr key="source" type="string">Camera_)" + number +
         "</attr></node></node>";
}

std::string document(const std::string& streams) {
  return R"(<dv version="2.0"><node name="outInfo" path="/elsewhere/">)" + streams + "</node></dv>";
}

std::string event_buffer(const std::vector<aedat4::Event>& events, const char* identifier = "EVTS") {
  flatbuffers::FlatBufferBuilder builder;
  builder.FinishSizePrefixed(aedat4::CreateEventPacketDirect(builder, nullptr), identifier);
  if (!events.empty()) {
    builder.Clear();
    builder.FinishSizePrefixed(aedat4::CreateEventPacket(builder, builder.CreateVectorOfStructs(events)), identifier);
  }
  return buffer_of(builder);
}

std::string packet(int stream, const std::string& content) {
  return little(static_cast<std::uint32_t>(stream), 4) + little(content.size(), 4) + content;
}

std::string zstd(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

std::string lz4(const std::string& plain) {
  std::string out(LZ4F_compressFrameBound(plain.size(), nullptr), '\0');
  out.resize(LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), nullptr));
  return out;
}

const aedat4::Event kFirst{1'718'924'384'950'507, 3, 4, true}, kSecond{1'718'924'384'950'508, 19, 0, false};

ReadOptions lenient() {
  ReadOptions options;
  options.lenient = true;
  return options;
}

TEST_CASE("events of AEDAT4 have absolute times and lie upright") {
  const Recording recording =
      decode(header(document(stream_xml(0, "EVTS"))) + packet(0, event_buffer({kFirst, kSecond})));

  REQUIRE(recording.events.size() == 2);
  CHECK(recording.events[0] == Event{1'718'924'384'950'507, 3, 4, 1});
  CHECK(recording.events[1] == Event{1'718'924'384'950'508, 19, 0, 0});
  CHECK(recording.events.width == 20);
  CHECK(recording.source == "Camera_0");
  REQUIRE(recording.warnings.size() == 1);
  CHECK(contains(recording.warnings[0], "no table at the end"));
}

TEST_CASE("packets without events, of other streams and of unknown streams are passed over") {
  const std::string file = header(document(stream_xml(1, "FRME") + stream_xml(2, "EVTS") + stream_xml(3, "TRIG"))) +
                           packet(2, event_buffer({})) + packet(1, "a frame") + packet(2, event_buffer({kFirst})) +
                           packet(9, "who knows") + packet(2, event_buffer({kSecond}));

  const Recording recording = decode(file);

  CHECK(recording.events.size() == 2);
  CHECK(recording.source == "Camera_2");
  CHECK(recording.skipped_special == 2);
  CHECK(contains(recording.warnings.at(1), "1 packets of streams that the header does not know"));
}

TEST_CASE("with events in several streams one must be chosen") {
  const std::string file =
      header(document(stream_xml(0, "EVTS") + stream_xml(5, "EVTS", "30") + stream_xml(6, "IMUS"))) +
      packet(0, event_buffer({kFirst})) + packet(5, event_buffer({kSecond}));
  ReadOptions second, absent;
  second.stream = 5;
  absent.stream = 6;

  CHECK(contains(decode_error<ConfigError>(file), "streams 0 and 5"));
  CHECK(contains(decode_error<ConfigError>(file, absent), "no stream 6 of events"));
  REQUIRE(decode(file, second).events.size() == 1);
  CHECK(decode(file, second).events.x[0] == 19);
  CHECK(decode(file, second).events.width == 30);
}

TEST_CASE("a header that announces no events, or makes no sense, is an error") {
  CHECK(contains(decode_error<FormatError>(header(document(stream_xml(0, "FRME")))), "no stream of events"));
  CHECK(contains(decode_error<FormatError>(header("<dv></dv>")), "no node outInfo"));
  CHECK(contains(decode_error<FormatError>(header("<dv><node")), "XML of the header is broken"));
  CHECK(contains(decode_error<FormatError>(header(document(stream_xml(0, "EVTS")), 5)), "compression 5 is unknown"));
  CHECK(contains(decode_error<FormatError>(header(document(stream_xml(0, "EVTS", "-1")))), "-1x-1"));
  CHECK(contains(decode_error<FormatError>(header(document(stream_xml(0, "EVTS", "40000")))), "40000x40000"));
  CHECK(contains(decode_error<FormatError>("#!AER-DAT4.0\r\n" + little(8, 4) + "IOHEIOHE"), "header is damaged"));
  CHECK(contains(decode_error<FormatError>("#!AER-DAT4.0\r\n" + little(0xffffffff, 4)), "ends within its header"));
}

TEST_CASE("nodes of the header nested a hundred thousand deep do no harm") {
  std::string open, close;
  for (int i = 0; i < 100'000; ++i) {
    open += "<node>";
    close += "</node>";
  }

  CHECK(contains(decode_error<FormatError>(header(open + close)), "no node outInfo"));
}

TEST_CASE("without a size in the header the options say it, else the events") {
  const std::string file = header(document(stream_xml(0, "EVTS", ""))) + packet(0, event_buffer({kFirst, kSecond}));
  ReadOptions options;
  options.width = options.height = 100;

  CHECK(decode(file, options).events.width == 100);
  CHECK(decode(file).events.width == 20);
  CHECK(decode(file).events.height == 5);
}

TEST_CASE("a pixel outside the sensor or negative is an error, or dropped and counted") {
  const std::string start = header(document(stream_xml(0, "EVTS")));
  for (const aedat4::Event& bad :
       {aedat4::Event{5, 20, 0, true}, aedat4::Event{5, 0, 20, true}, aedat4::Event{5, -1, 0, true}}) {
    const std::string file = start + packet(0, event_buffer({kFirst, bad, kSecond}));

    CHECK(contains(decode_error<FormatError>(file), "event 1 is at (" + std::to_string(bad.x()) + ", "));
    CHECK(decode(file, lenient()).events.size() == 2);
    CHECK(decode(file, lenient()).out_of_range == 1);
  }
}

TEST_CASE("a broken packet is an error that names its byte, or skipped with a warning") {
  for (const int compression : {kLz4, kZstd}) {
    const auto pack = compression == kLz4 ? &lz4 : &zstd;
    const std::string start = header(document(stream_xml(0, "EVTS")), compression);
    const std::string good = packet(0, pack(event_buffer({kFirst})));
    const std::string where = "byte " + std::to_string(start.size() + good.size() + 8) + ": ";
    for (const std::string& content :
         {std::string("no frame"), pack(event_buffer({kFirst})) + "x", pack(event_buffer({kFirst}, "FRME")),
          pack("abc"), std::string(), pack(event_buffer({kFirst})).substr(0, 20)}) {
      const std::string file = start + good + packet(0, content) + packet(0, pack(event_buffer({kSecond})));

      const std::string text = decode_error<FormatError>(file);
      CHECK_MESSAGE(contains(text, where), text);
      CHECK(decode(file, lenient()).events.size() == 2);
      CHECK(contains(decode(file, lenient()).warnings.back(), "1 broken packets skipped"));
    }
  }
}

TEST_CASE("packets of a small file cannot expand to any size") {
  const std::string bomb = zstd(std::string(std::size_t{100} << 20U, '\0'));
  REQUIRE(bomb.size() < 20'000);

  const std::string text = decode_error<FormatError>(header(document(stream_xml(0, "EVTS")), kZstd) + packet(0, bomb));

  CHECK_MESSAGE(contains(text, "expands to far more"), text);
}

TEST_CASE("a recording that ends within a packet is an error, or gives the packets before") {
  const std::string file =
      header(document(stream_xml(0, "EVTS"))) + packet(0, event_buffer({kFirst})) + packet(0, event_buffer({kSecond}));

  for (const std::size_t cut : {std::size_t{1}, std::size_t{44}, std::size_t{54}}) {
    CAPTURE(cut);
    const std::string damaged = file.substr(0, file.size() - cut);
    CHECK(decode_error<FormatError>(damaged) != "");
    CHECK(decode(damaged, lenient()).events.size() == 1);
    CHECK(decode(damaged, lenient()).missing_bytes > 0);
  }
}

TEST_CASE("the table at the end is checked against the packets, which are right") {
  EventStream events;
  events.width = events.height = 20;
  for (std::int64_t i = 0; i < 10'000; ++i) events.push_back({i, 1, 2, 1});
  const std::string file = encode_recording(events, "memory", EventFormat::aedat4, {Aedat4Compression::none});
  std::string damaged = file;
  damaged[damaged.size() - 20] = static_cast<char>(damaged[damaged.size() - 20] ^ 1);

  CHECK(decode(file).warnings.empty());
  CHECK(contains(decode(damaged).warnings.at(0), "table at the end of the file does not fit"));
  CHECK(decode(damaged).events == events);
}

TEST_CASE("a file that ends before its table is an error, or read to its end") {
  const std::string file =
      header(document(stream_xml(0, "EVTS")), kNone, 1'000'000) + packet(0, event_buffer({kFirst}));

  CHECK(contains(decode_error<FormatError>(file), "ends before its table at byte 1000000"));
  CHECK(decode(file, lenient()).events.size() == 1);
}

TEST_CASE("tables of real recordings fit their packets") {
  const auto folder = test::data_folder();
  if (!folder) return;

  for (const char* name : {"formats/aedat4/sample_dvxplorer_lz4.aedat4", "formats/aedat4/davis346_lz4.aedat4"}) {
    const Recording recording = read_recording(*folder / name);
    CHECK(recording.warnings.empty());
    CHECK(recording.skipped_special > 0);
  }
}

}  // namespace
}  // namespace synfire::datasets
