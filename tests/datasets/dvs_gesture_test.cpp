// No recording of the data set can be had here: its folder is built from the description of its lists and labels.
#include "datasets/dvs_gesture.hpp"

#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "core/error.hpp"
#include "datasets/event_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace synfire::datasets {
namespace {

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// An event every 100 us from `begin_us` to before `end_us`.
void write_events(const std::filesystem::path& file, std::int64_t begin_us, std::int64_t end_us) {
  EventStream events;
  events.width = events.height = 128;
  for (std::int64_t t_us = begin_us; t_us < end_us; t_us += 100) events.push_back({t_us, 1, 2, 1});
  write_recording(file, events, EventFormat::aedat3);
}

constexpr const char* kHeader = "class,startTime_usec,endTime_usec\r\n";

/// Two recordings, with the habits of the real lists: CRLF, blank lines, blanks behind a name, the arm roll twice,
/// overlapping gestures.
struct Folder : test::TemporaryFolder {
  Folder() {
    write_text(*this / "trials_to_train.txt", "user02_fluorescent_led.aedat \r\n\r\nuser01_natural.aedat\r\n\r\n");
    write_text(*this / "trials_to_test.txt", "user01_natural.aedat");
    write_text(*this / "user02_fluorescent_led_labels.csv",
               std::string(kHeader) + "8,1000,2000\r\n8,2000,3000\r\n9,2500,4000\r\n");
    write_text(*this / "user01_natural_labels.csv", std::string(kHeader) + "1,0,100\n");
    write_events(*this / "user02_fluorescent_led.aedat", 1000, 5000);
    write_events(*this / "user01_natural.aedat", 0, 1000);
  }
};

template <class ErrorType, class Function>
std::string error_text(const Function& function) {
  try {
    function();
  } catch (const ErrorType& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("gestures come in the order of the trials and of the rows") {
  const Folder folder;

  const std::vector<GestureSample> samples = list_gestures(folder.path(), GestureSplit::train);

  REQUIRE(samples.size() == 4);
  CHECK(samples[0].recording == folder / "user02_fluorescent_led.aedat");
  CHECK(samples[0].user == 2);
  CHECK(samples[0].light == "fluorescent_led");
  CHECK(samples[0].gesture == 8);
  CHECK(samples[1].gesture == 8);
  CHECK(samples[1].start_us == 2000);
  CHECK(samples[2].gesture == 9);
  CHECK(samples[2].end_us == 4000);
  CHECK(samples[2].label_line == 4);
  CHECK(samples[3].user == 1);
  CHECK(samples[3].light == "natural");
  CHECK(list_gestures(folder.path(), GestureSplit::test).size() == 1);
}

TEST_CASE("a gesture takes its start, not its end, and shares events with an overlapping neighbour") {
  const Folder folder;
  const std::vector<GestureSample> samples = list_gestures(folder.path(), GestureSplit::train);
  GestureReader reader;

  const EventStream first = reader.read(samples[0]), second = reader.read(samples[1]), third = reader.read(samples[2]);

  CHECK(first.width == 128);
  CHECK(first.size() == 10);
  CHECK(first.t_us.front() == 1000);
  CHECK(first.t_us.back() == 1900);
  CHECK(second.t_us.back() == 2900);
  CHECK(third.t_us.front() == 2500);
}

TEST_CASE("a gesture is cut by time also where the recording steps back") {
  const Folder folder;
  EventStream events;
  events.width = events.height = 128;
  for (const std::int64_t t_us : {1500, 900, 1600, 2000, 1999}) events.push_back({t_us, 0, 0, 0});
  write_recording(folder / "user02_fluorescent_led.aedat", events, EventFormat::aedat3);

  const EventStream cut = GestureReader().read(list_gestures(folder.path(), GestureSplit::train).front());

  CHECK(cut.t_us == EventColumn<std::int64_t>{1500, 1600, 1999});
}

TEST_CASE("a gesture without events is an error that names its line, or empty if lenient") {
  const Folder folder;
  write_events(folder / "user01_natural.aedat", 500, 1000);
  const GestureSample sample = list_gestures(folder.path(), GestureSplit::test).front();

  const std::string text = error_text<FormatError>([&] { GestureReader().read(sample); });
  ReadOptions lenient;
  lenient.lenient = true;

  CHECK(text.find("line 2 of its labels (0 to 100 us) selects no events") != std::string::npos);
  CHECK(GestureReader(lenient).read(sample).empty());
}

TEST_CASE("a recording or labels that a list names and the folder lacks are named") {
  const Folder folder;
  const auto list = [&] { list_gestures(folder.path(), GestureSplit::train); };

  std::filesystem::remove(folder / "user01_natural_labels.csv");
  CHECK(error_text<FileError>(list).find("user01_natural_labels.csv") != std::string::npos);
  std::filesystem::remove(folder / "user01_natural.aedat");
  CHECK(error_text<FileError>(list).find("user01_natural.aedat: no such file, but trials_to_train.txt lists it") !=
        std::string::npos);
  std::filesystem::remove(folder / "trials_to_train.txt");
  CHECK(error_text<FileError>(list).find("trials_to_train.txt") != std::string::npos);
}

TEST_CASE("labels and lists that cannot be understood are errors that quote the line") {
  const Folder folder;
  const auto list = [&] { list_gestures(folder.path(), GestureSplit::test); };

  for (const char* row : {"0,1,2", "12,1,2", "1,2,2", "1,1", "1,a,2", "1,1,2,3", "1,1,99999999999999999999"}) {
    write_text(folder / "user01_natural_labels.csv", std::string(kHeader) + row + "\r\n");
    CHECK_MESSAGE(error_text<FormatError>(list).find('"' + std::string(row) + '"') != std::string::npos, row);
  }
  write_text(folder / "user01_natural_labels.csv", "8,1,2\r\n");
  CHECK(error_text<FormatError>(list).find("expected the header") != std::string::npos);
  write_text(folder / "user01_natural_labels.csv", kHeader);
  CHECK(error_text<FormatError>(list).find("no sample") != std::string::npos);
  for (const char* name :
       {"user1.aedat", "user0_led.aedat", "../user01_natural.aedat", "user01_.aedat", "userx_led.aedat"}) {
    write_text(folder / "trials_to_test.txt", name);
    CHECK_MESSAGE(error_text<FormatError>(list).find(name) != std::string::npos, name);
  }
  write_text(folder / "trials_to_test.txt", "user01_natural.aedat\nuser01_natural.aedat\n");
  CHECK(error_text<FormatError>(list).find("listed twice") != std::string::npos);
}

}  // namespace
}  // namespace synfire::datasets
