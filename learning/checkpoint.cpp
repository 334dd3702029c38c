#include "learning/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hdf5_file.hpp"

namespace synfire::learning {

namespace {

constexpr std::int64_t kVersion = 2, kOldestVersion = 1;
const char* const kKind = "synfire checkpoint";
constexpr std::ptrdiff_t kHistoryColumns = 8;

/// FNV-1a, 64 bit, over the bytes of everything that a group of the file holds, in the order of writing.
class Checksum {
 public:
  void add(const void* data, std::size_t num_bytes) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < num_bytes; ++i) hash_ = (hash_ ^ bytes[i]) * 0x100000001B3U;
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

/// Writer and Reader have the same calls, so that `exchange_...` below is the one description of the format.
class Writer {
 public:
  Writer(Hdf5File& file, std::string group) : file_(file), group_(std::move(group)) {}

  void tensor(const std::string& name, const View<float>& values) {
    checksum_.add(values.data, values.span().size_bytes());
    file_.write<float>(group_ + "/" + name, values.span(), values.shape);
  }
  template <class T>
  void value(const std::string& name, const T& value) {
    checksum_.add(&value, sizeof(T));
    file_.write<T>(group_ + "/" + name, {&value, 1}, {});
  }
  void rows(const std::string& name, std::vector<double>& values, std::ptrdiff_t columns) {
    checksum_.add(values.data(), values.size() * sizeof(double));
    file_.write<double>(group_ + "/" + name, values, {std::ssize(values) / columns, columns});
  }
  void text(const std::string& name, const std::string& text) {
    checksum_.add(text.data(), text.size());
    file_.write_text(group_ + "/" + name, text);
  }
  void finish() {
    const std::uint64_t hash = checksum_.value();
    file_.write<std::uint64_t>(group_ + "/checksum", {&hash, 1}, {});
  }

 private:
  Hdf5File& file_;
  std::string group_;
  Checksum checksum_;
};

class Reader {
 public:
  Reader(const Hdf5File& file, std::string file_name, std::string group)
      : file_(file), file_name_(std::move(file_name)), group_(std::move(group)) {}

  void tensor(const std::string& name, const View<float>& values) {
    const std::string path = group_ + "/" + name;
    if (!file_.has(path)) fail(name, "is missing; the checkpoint is of another network or optimizer");
    const Shape shape = file_.shape(path);
    if (shape != values.shape)
      fail(name, fmt::format("must have the shape {}, has {}; the checkpoint is of another network",
                             values.shape.text(), shape.text()));
    file_.read_into<float>(path, values.span());
    checksum_.add(values.data, values.span().size_bytes());
  }
  template <class T>
  void value(const std::string& name, T& value) {
    file_.read_into<T>(group_ + "/" + name, {&value, 1});
    checksum_.add(&value, sizeof(T));
  }
  void rows(const std::string& name, std::vector<double>& values, std::ptrdiff_t columns) {
    values = file_.read<double>(group_ + "/" + name);
    if (std::ssize(values) % columns != 0) fail(name, fmt::format("must have {} columns", columns));
    checksum_.add(values.data(), values.size() * sizeof(double));
  }
  void text(const std::string& name, std::string& text) {
    text = file_.read_text(group_ + "/" + name);
    checksum_.add(text.data(), text.size());
  }
  void finish() {
    std::uint64_t hash = 0;
    file_.read_into<std::uint64_t>(group_ + "/checksum", {&hash, 1});
    if (hash != checksum_.value()) fail("checksum", "does not fit the data: the file is damaged");
  }
  [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
    throw FormatError(file_name_, group_ + "/" + name + ": " + problem);
  }

 private:
  const Hdf5File& file_;
  std::string file_name_;
  std::string group_;
  Checksum checksum_;
};

template <class Archive>
void exchange_weights(Archive& archive, network::Network<float>& network) {
  for (network::NamedTensor<float>& tensor : network.tensors) archive.tensor(tensor.name, tensor.value.view());
  archive.finish();
}

template <class Archive>
void exchange_optimizers(Archive& archive, std::span<Optimizer<float>> optimizers) {
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    std::int64_t num_steps = optimizers[i].num_steps();
    archive.value(fmt::format("num_steps_{}", i), num_steps);
    optimizers[i].set_num_steps(num_steps);
    for (const auto& state : optimizers[i].state()) archive.tensor(state.name, state.value);
  }
  archive.finish();
}

template <class Archive>
void exchange_progress(Archive& archive, Progress& progress, std::vector<double>& history) {
  archive.value("seed", progress.seed);
  archive.value("epoch", progress.epoch);
  archive.value("batches_done", progress.batches_done);
  archive.value("num_batches", progress.num_batches);
  archive.value("step", progress.step);
  archive.value("loss_sum", progress.loss_sum);
  archive.value("num_correct", progress.num_correct);
  archive.value("num_samples", progress.num_samples);
  archive.value("best_epoch", progress.best_epoch);
  archive.value("best_accuracy", progress.best_accuracy);
  archive.value("best_loss", progress.best_loss);
  archive.rows("firing_rates", progress.firing_rates, 1);
  archive.rows("history", history, kHistoryColumns);
  archive.finish();
}

std::array<double, kHistoryColumns> to_row(const EpochRecord& record) {
  return {static_cast<double>(record.epoch),
          static_cast<double>(record.step),
          record.learning_rate,
          record.train_loss,
          record.train_accuracy,
          record.validation_loss,
          record.validation_accuracy,
          record.validation_accuracy_unrounded};
}

std::vector<double> to_rows(const std::vector<EpochRecord>& history) {
  std::vector<double> rows;
  for (const EpochRecord& record : history) {
    const auto row = to_row(record);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

std::vector<EpochRecord> from_rows(const std::vector<double>& rows) {
  std::vector<EpochRecord> history;
  for (std::size_t i = 0; i < rows.size(); i += kHistoryColumns) {
    history.push_back({static_cast<int>(rows[i]), static_cast<std::int64_t>(rows[i + 1]), rows[i + 2], rows[i + 3],
                       rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7]});
  }
  return history;
}

Hdf5File open_checkpoint(const std::filesystem::path& file, std::int64_t oldest_version) {
  Hdf5File opened = Hdf5File::open(file);
  if (!opened.has("format") || opened.read_text("format") != kKind)
    throw FormatError(file.string(), "is not a Synfire checkpoint");
  std::int64_t version = 0;
  opened.read_into<std::int64_t>("format_version", {&version, 1});
  if (version < oldest_version || version > kVersion)
    throw FormatError(file.string(),
                      fmt::format("is a checkpoint of version {}, this program reads version {}", version, kVersion));
  return opened;
}

void read_weights(const Hdf5File& opened, const std::filesystem::path& file, network::Network<float>& network) {
  Reader weights(opened, file.string(), "weights");
  for (const std::string& name : opened.members("weights")) {
    const bool known = name == "checksum" || std::any_of(network.tensors.begin(), network.tensors.end(),
                                                         [&](const auto& tensor) { return tensor.name == name; });
    if (!known) weights.fail(name, "is not part of the network; the checkpoint is of another one");
  }
  exchange_weights(weights, network);
}

}  // namespace

bool EpochRecord::operator==(const EpochRecord& other) const {
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  const auto mine = to_row(*this), others = to_row(other);
  return std::equal(mine.begin(), mine.end(), others.begin(), same);
}

void write_checkpoint(const std::filesystem::path& file, const std::string& config_text,
                      network::Network<float>& network, std::span<Optimizer<float>> optimizers,
                      const Progress& progress) {
  Hdf5File created = Hdf5File::create(file);
  created.write_text("format", kKind);
  created.write<std::int64_t>("format_version", {&kVersion, 1}, {});
  Writer config(created, "config");
  config.text("toml", config_text);
  config.finish();
  Writer weights(created, "weights");
  exchange_weights(weights, network);
  Writer state(created, "optimizer");
  exchange_optimizers(state, optimizers);
  Writer run(created, "progress");
  Progress copy = progress;
  std::vector<double> history = to_rows(progress.history);
  exchange_progress(run, copy, history);
  created.commit();
}

Progress read_checkpoint(const std::filesystem::path& file, network::Network<float>& network,
                         std::span<Optimizer<float>> optimizers) {
  const Hdf5File opened = open_checkpoint(file, kVersion);
  read_weights(opened, file, network);
  Reader state(opened, file.string(), "optimizer");
  exchange_optimizers(state, optimizers);
  Reader run(opened, file.string(), "progress");
  Progress progress;
  std::vector<double> history;
  exchange_progress(run, progress, history);
  progress.history = from_rows(history);
  return progress;
}

void read_checkpoint_weights(const std::filesystem::path& file, network::Network<float>& network) {
  read_weights(open_checkpoint(file, kOldestVersion), file, network);
}

std::string read_checkpoint_config(const std::filesystem::path& file) {
  const Hdf5File opened = open_checkpoint(file, kOldestVersion);
  Reader config(opened, file.string(), "config");
  std::string text;
  config.text("toml", text);
  config.finish();
  return text;
}

}  // namespace synfire::learning
