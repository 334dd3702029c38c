#include "datasets/recipes.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/nearest_word.hpp"
#include "datasets/dvs_gesture.hpp"

namespace synfire::datasets {

namespace {

namespace fs = std::filesystem;

/// A recording whose class is known by name.
struct Named {
  std::string class_name;
  fs::path path;
};

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  if (error) throw FileError(folder.string(), "cannot list this folder: " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_recording(const fs::path& path) {
  const fs::path ending = path.extension();
  return ending == ".bin" || ending == ".aedat" || ending == ".aedat4";
}

std::vector<Named> list_class_folders(const ConfigTable& data, const std::string& key, const fs::path& folder) {
  std::vector<Named> result;
  for (const fs::path& class_folder : sorted_entries(folder)) {
    if (!fs::is_directory(class_folder)) continue;
    const std::size_t before = result.size();
    for (const fs::path& file : sorted_entries(class_folder))
      if (is_recording(file)) result.push_back({class_folder.filename().string(), file});
    if (result.size() == before)
      data.fail(key,
                fmt::format("the class folder {} has no recording (.bin, .aedat, .aedat4)", class_folder.string()));
  }
  return result;
}

std::vector<Named> list_class_files(const fs::path& folder) {
  std::vector<Named> result;
  for (const fs::path& file : sorted_entries(folder)) {
    const std::string name = file.filename().string();
    const std::size_t mark = name.find("__");
    if (is_recording(file) && mark != std::string::npos && mark > 0) result.push_back({name.substr(0, mark), file});
  }
  return result;
}

std::vector<Named> list_files(const ConfigTable& data, const std::string& key, bool in_folders) {
  std::vector<Named> result;
  for (const fs::path& folder : data.paths(key)) {
    const std::vector<Named> found = in_folders ? list_class_folders(data, key, folder) : list_class_files(folder);
    if (found.empty())
      data.fail(key, fmt::format("found no recordings in {}, expected {}/{}", folder.string(), folder.string(),
                                 in_folders ? "<class>/<recording>" : "<class>__<recording>"));
    result.insert(result.end(), found.begin(), found.end());
  }
  if (result.empty()) data.fail(key, "must name a folder");
  return result;
}

void rename_merged(const ConfigTable& data, std::vector<Named>& files) {
  const ConfigTable merge = data.table("merge");
  for (Named& file : files)
    if (merge.has(file.class_name)) file.class_name = merge.text(file.class_name);
}

/// Moves the recordings that `test_recordings` names from `train` to `test`.
void take_test_recordings(const ConfigTable& data, std::vector<Named>& train, std::vector<Named>& test) {
  for (const std::string& name : data.texts("test_recordings", std::vector<std::string>{})) {
    const auto named = [&](const Named& file) { return file.path.stem() == name; };
    const auto found =
        std::stable_partition(train.begin(), train.end(), [&](const Named& file) { return !named(file); });
    if (found == train.end()) {
      std::vector<std::string> names;
      for (const Named& file : train) names.push_back(file.path.stem().string());
      data.fail("test_recordings", fmt::format("no recording of `train` is named \"{}\"; the nearest is \"{}\"", name,
                                               nearest_word(name, names)));
    }
    test.insert(test.end(), found, train.end());
    train.erase(found, train.end());
  }
}

std::set<std::string> classes_of(const std::vector<Named>& files) {
  std::set<std::string> names;
  for (const Named& file : files) names.insert(file.class_name);
  return names;
}

void keep_classes(const std::set<std::string>& names, std::vector<Named>& files) {
  std::erase_if(files, [&](const Named& file) { return !names.contains(file.class_name); });
}

std::vector<RecordingEntry> to_entries(const std::vector<Named>& files, const std::vector<std::string>& class_names) {
  std::vector<RecordingEntry> entries;
  for (const Named& file : files) {
    const auto at = std::lower_bound(class_names.begin(), class_names.end(), file.class_name);
    const auto label = static_cast<std::int32_t>(at - class_names.begin());
    // Without the folder above, so that a choice among groups does not depend on where the data lie.
    const std::string group = (file.path.parent_path().filename() / file.path.filename()).string();
    entries.push_back({file.path, group, {{label, std::nullopt}}});
  }
  return entries;
}

DataListing list_labelled(const ConfigTable& data, bool in_folders) {
  std::vector<Named> train = list_files(data, "train", in_folders), test;
  if (data.has("test")) test = list_files(data, "test", in_folders);
  rename_merged(data, train);
  rename_merged(data, test);
  take_test_recordings(data, train, test);

  std::set<std::string> names = classes_of(train);
  if (!test.empty()) {
    const std::set<std::string> tested = classes_of(test);
    if (!in_folders) {
      std::erase_if(names, [&](const std::string& name) { return !tested.contains(name); });
      keep_classes(names, train);
      keep_classes(names, test);
    } else if (names != tested) {
      std::vector<std::string> odd;
      std::set_symmetric_difference(names.begin(), names.end(), tested.begin(), tested.end(), std::back_inserter(odd));
      data.fail(data.has("test") ? "test" : "test_recordings",
                fmt::format("class \"{}\" has recordings to {} only", odd[0],
                            names.contains(odd[0]) ? "train on" : "test on"));
    }
  }
  if (names.empty()) data.fail("test", "has no class in common with `train`");

  DataListing listing;
  listing.class_names.assign(names.begin(), names.end());
  listing.train = to_entries(train, listing.class_names);
  listing.test = to_entries(test, listing.class_names);
  return listing;
}

std::vector<RecordingEntry> gesture_entries(const fs::path& folder, GestureSplit split) {
  std::vector<RecordingEntry> entries;
  for (const GestureSample& sample : list_gestures(folder, split)) {
    if (entries.empty() || entries.back().path != sample.recording)
      entries.push_back({sample.recording, fmt::format("user{:02}", sample.user), {}});
    entries.back().segments.push_back({sample.gesture - 1, TimeSpan{sample.start_us, sample.end_us}});
  }
  return entries;
}

}  // namespace

DataListing list_data(const ConfigTable& data, const std::string& kind) {
  if (kind != "dvs_gesture") return list_labelled(data, kind == "labelled_folders");

  const fs::path folder = data.path("folder");
  DataListing listing;
  for (const std::string_view name : gesture_names()) listing.class_names.emplace_back(name);
  listing.train = gesture_entries(folder, GestureSplit::train);
  listing.test = gesture_entries(folder, GestureSplit::test);
  return listing;
}

}  // namespace synfire::datasets
