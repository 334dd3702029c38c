// Writes small recordings, one folder per fuzzer, for the fuzzers to start from.
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

#include <zlib.h>

#include "core/atomic_file.hpp"
#include "core/random.hpp"
#include "datasets/event_writer.hpp"

namespace {

using namespace synfire;
using namespace synfire::datasets;

EventStream random_events(int width, int height, std::uint64_t count) {
  const RandomStream random(17, 0, 0);
  EventStream events;
  events.width = width;
  events.height = height;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Philox::Block words = random.words(i);
    events.push_back({static_cast<std::int64_t>(1000 * i),
                      static_cast<std::uint16_t>(words[0] % static_cast<unsigned>(width)),
                      static_cast<std::uint16_t>(words[1] % static_cast<unsigned>(height)),
                      static_cast<std::uint8_t>(words[2] & 1U)});
  }
  return events;
}

std::string gzipped(const std::string& plain) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void write_seed(const std::filesystem::path& folder, const std::string& name, const std::string& content) {
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / name, content);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path corpus = argv[1];
  // The first byte chooses the options of the reader: strict, and lenient with invalid events kept.
  for (const char options : {'\x00', '\x03'}) {
    const std::string prefix(1, options), suffix = std::to_string(static_cast<int>(options));
    const auto add = [&](const char* fuzzer, const std::string& name, const EventStream& events, EventFormat format,
                         const WriteOptions& write_options = {}) {
      write_seed(corpus / fuzzer, name + suffix, prefix + encode_recording(events, name, format, write_options));
    };
    add("aedat2", "dvs128_", random_events(128, 128, 20), EventFormat::aedat2);
    add("aedat2", "davis346_", random_events(346, 260, 20), EventFormat::aedat2);
    add("aedat3", "dvs128_", random_events(128, 128, 20), EventFormat::aedat3);
    add("aedat4", "none_", random_events(34, 34, 20), EventFormat::aedat4, {Aedat4Compression::none});
    add("aedat4", "lz4_", random_events(34, 34, 20), EventFormat::aedat4, {Aedat4Compression::lz4});
    add("aedat4", "zstd_", random_events(34, 34, 20), EventFormat::aedat4, {Aedat4Compression::zstd});
    add("nmnist_bin", "digit_", random_events(34, 34, 20), EventFormat::nmnist_bin);
    // Longer than the blocks in which events are decoded.
    add("aedat2", "long_", random_events(128, 128, 2100), EventFormat::aedat2);
    add("aedat3", "long_", random_events(128, 128, 2100), EventFormat::aedat3);
    add("aedat4", "long_", random_events(34, 34, 2100), EventFormat::aedat4, {Aedat4Compression::zstd});
    add("nmnist_bin", "long_", random_events(34, 34, 2100), EventFormat::nmnist_bin);
  }
  const std::string images = std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x03", 16) + std::string(18, '\x55');
  const std::string labels("\0\0\x08\x01\0\0\0\x03\x05\x00\x09", 11);
  write_seed(corpus / "idx", "images", images);
  write_seed(corpus / "idx", "images_gz", gzipped(images));
  write_seed(corpus / "idx", "labels", labels);
  return 0;
}
