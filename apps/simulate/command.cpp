#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/checkpoint_choice.hpp"
#include "apps/command_line.hpp"
#include "apps/commands.hpp"
#include "apps/engines.hpp"
#include "apps/simulate/activity.hpp"
#include "apps/simulate/engine.hpp"
#include "apps/simulate/generated_input.hpp"
#include "apps/simulate/pictures.hpp"
#include "apps/simulate/samples.hpp"
#include "apps/simulate/spike_files.hpp"
#include "core/atomic_file.hpp"
#include "core/config.hpp"
#include "core/interrupt.hpp"
#include "core/parallel.hpp"
#include "core/progress.hpp"
#include "datasets/open_data.hpp"
#include "datasets/open_recording.hpp"
#include "learning/checkpoint.hpp"

namespace po = boost::program_options;

namespace synfire::apps {

namespace {

struct Options {
  std::filesystem::path network;
  std::optional<std::string> data, input;
  std::optional<std::int64_t> sample;
  std::optional<std::ptrdiff_t> ticks;
  std::optional<std::uint64_t> seed;
  std::string split, engine, checkpoint;
  network::EventArithmetic arithmetic{};
  std::vector<std::string> neurons;
  std::optional<std::filesystem::path> out;
};

/// A network and what goes into it.
struct Setup {
  network::Network<float> network;
  SimulationSamples samples;
  learning::LossConfig loss;
  SimulationTitle title;
};

template <class T>
std::optional<T> given(const CommandLine& line, const std::string& name) {
  if (!line.has(name)) return {};
  return line.get<T>(name);
}

Options read_options(const CommandLine& line) {
  Options options;
  options.network = line.list("network").front();
  options.data = given<std::string>(line, "data");
  options.input = given<std::string>(line, "input");
  options.sample = given<std::int64_t>(line, "sample");
  options.ticks = given<std::int64_t>(line, "ticks");
  if (const auto seed = given<std::int64_t>(line, "seed")) {
    if (*seed < 0) throw UsageError(fmt::format("--seed: expected 0 or more, got {}", *seed));
    options.seed = static_cast<std::uint64_t>(*seed);
  }
  options.split = line.get<std::string>("split");
  options.engine = line.get<std::string>("engine");
  options.arithmetic = read_arithmetic("simulate", line.get<std::string>("arithmetic"));
  options.checkpoint = line.get<std::string>("checkpoint");
  options.neurons = line.list("neuron");
  options.out = given<std::string>(line, "out");
  if (options.split != "test" && options.split != "validation") {
    throw UsageError(fmt::format("--split: expected test or validation, got \"{}\"", options.split));
  }
  if (options.engine != "event" && options.engine != "clocked") {
    throw UsageError(fmt::format("--engine: expected event or clocked, got \"{}\"", options.engine));
  }
  if (options.input && (options.data || options.sample)) {
    throw UsageError("--input makes its own sample; it does not go with --data or --sample");
  }
  if (!options.neurons.empty() && !options.out) throw UsageError("--neuron: the traces need a folder, --out");
  return options;
}

/// The samples of a split, or of what --data names instead. Only what is needed is read.
std::unique_ptr<datasets::Split> open_split(const Options& options, const std::filesystem::path& config_file,
                                            int batch_size) {
  std::vector<std::string> overrides, warnings;
  std::unique_ptr<datasets::Split> split;
  const std::string kind = Config::load(config_file).root().table("data").text("kind");
  const bool one_recording =
      options.data && kind != "shd" && kind != "lag" && !std::filesystem::is_directory(*options.data);
  if (options.data && !one_recording) {
    if (kind == "lag") throw UsageError("--data: the samples of this network are made (data.kind = \"lag\")");
    overrides.push_back(fmt::format("data.{}=\"{}\"", kind == "dvs_gesture" ? "folder" : "test", *options.data));
  }
  const Config config = Config::load(config_file, overrides);
  if (one_recording) {
    split = datasets::open_recording(config.root(), *options.data, batch_size, warnings);
  } else {
    const bool test = options.data || options.split == "test";
    datasets::DataSplits splits = datasets::open_data(
        config.root(), batch_size, test ? datasets::Load::test : datasets::Load::train_and_validation);
    split = std::move(test ? splits.test : splits.validation);
    warnings = std::move(splits.warnings);
  }
  for (const std::string& warning : warnings) std::cerr << "synfire: warning: " << warning << '\n';
  if (!split) throw UsageError(fmt::format("--split: the config has no {} data", options.split));
  return split;
}

/// As they stand in the evaluation of a run; none if it has none.
std::vector<std::string> known_classes(const std::filesystem::path& evaluation) {
  if (!exists(evaluation)) return {};
  const auto json = nlohmann::json::parse(read_whole_file(evaluation), nullptr, false);
  return json.is_object() && json.contains("classes") ? json["classes"].get<std::vector<std::string>>()
                                                      : std::vector<std::string>{};
}

std::string input_text(const Options& options, const SimulationSamples& samples) {
  if (options.input) return *options.input;
  if (!options.sample) {
    return fmt::format("{} samples of {}", samples.num_samples(), options.data.value_or(options.split));
  }
  return fmt::format("sample {} of {} ({})", *options.sample, options.data.value_or(options.split), samples.file());
}

Setup set_up(const Options& options) {
  const bool is_run = std::filesystem::is_directory(options.network);
  std::optional<RunFolder> run;
  if (is_run) run = RunFolder::open(options.network);
  const std::filesystem::path config_file = run ? run->config() : options.network;
  const Config config = Config::load(config_file);
  const ConfigTable root = config.root();
  const network::NetworkSpec spec = network::read_network_spec(root.table("network"));
  const learning::LearningConfig learning = learning::read_learning_config(root.table("learning"), spec);
  root.table("network").finish();
  root.table("learning").finish();
  const std::uint64_t seed = options.seed.value_or(static_cast<std::uint64_t>(root.integer("seed", 1, 0)));

  SimulationTitle title;
  title.network = root.text("name", config_file.stem().string());
  title.engine = options.engine;
  title.dt_ms = spec.dt_ms;
  std::optional<GeneratedInput> generated;
  if (options.input) generated = parse_generated_input(*options.input);
  std::unique_ptr<datasets::Split> split = open_split(options, config_file, learning.batch_size);
  const Shape sample_shape = split->sample_shape(), tick = sample_shape.drop_front(1);
  title.class_names = split->class_names();
  if (title.class_names.empty() && run) title.class_names = known_classes(run->evaluation());
  const bool is_labelled = !split->class_names().empty();
  const auto samples = [&] {
    if (!generated) return SimulationSamples(std::move(split), options.sample, options.ticks, is_labelled);
    const bool from_file = generated->kind == GeneratedInput::Kind::file;
    const auto num_ticks = options.ticks || from_file ? options.ticks : std::optional<std::ptrdiff_t>(sample_shape[0]);
    return SimulationSamples(generate_input(*generated, tick, num_ticks, spec.dt_ms, seed));
  };
  Setup setup{network::build<float>(spec, tick, seed), samples(), learning.loss, std::move(title)};
  setup.title.labels_known = setup.samples.labels_known();
  setup.title.input = input_text(options, setup.samples);
  setup.title.weights = fmt::format("not trained: freshly drawn with seed {}", seed);
  if (run) {
    const CheckpointChoice checkpoint = choose_checkpoint(*run, learning.selection, options.checkpoint);
    learning::read_checkpoint_weights(checkpoint.file, setup.network);
    setup.title.weights = fmt::format("{} ({})", checkpoint.file.string(), checkpoint.protocol);
  }
  return setup;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Writes what --out asks for. From the first batch on Ctrl-C is heard between batches.
class Recorder {
 public:
  Recorder(const Options& options, const SimulationEngine& engine, double dt_ms)
      : options_(options), dt_ms_(dt_ms), traced_(parse_traced_neurons(options.neurons, engine.layers())) {}

  void add(const SimulationEngine& engine, const Batch& batch,
           const std::vector<std::vector<network::EventSpike>>& of_input) {
    if (!options_.out) return;
    if (!files_) {
      files_ = std::make_unique<SpikeFiles>(*options_.out, engine.layers(), dt_ms_);
      shown_ = {one_sample(batch.input.view(), 0, batch.input.shape()[0]), of_input[0], engine.spikes()[0]};
    }
    files_->add(batch.index, batch.input.shape()[0], of_input, engine.spikes());
  }

  /// \return  the files
  std::vector<std::string> finish(SimulationEngine& engine) {
    std::vector<std::string> names;
    if (!files_) return names;
    files_->commit();
    names = {files_->hdf5().string(), files_->csv().string(),
             write_raster(*options_.out, shown_, engine.layers(), dt_ms_).string()};
    if (traced_.empty()) return names;
    for (const auto& name : write_traces(*options_.out, shown_, engine, traced_, dt_ms_)) names.push_back(name);
    return names;
  }

 private:
  const Options& options_;
  double dt_ms_;
  std::vector<TracedNeuron> traced_;
  std::unique_ptr<SpikeFiles> files_;
  ShownSample shown_;  ///< the first one
};

int simulate(const Options& options, bool as_json) {
  Setup setup = set_up(options);
  const std::unique_ptr<SimulationEngine> engine = options.engine == "event"
                                                       ? make_event_engine(setup.network, options.arithmetic)
                                                       : make_clocked_engine(setup.network);
  Recorder recorder(options, *engine, setup.title.dt_ms);
  Activity activity(engine->layers());
  {
    // A pass over a single sample can be long itself.
    const bool by_tick = options.engine == "event" && setup.samples.num_samples() == 1;
    std::optional<Progress> bar;
    Batch batch;
    while (setup.samples.next(batch)) {
      const View<const float> input = std::as_const(batch.input).view();
      if (!bar) {
        Progress::Options shown;
        shown.total = by_tick ? input.shape[0] + engine->layers().back().extra_ticks : setup.samples.num_batches();
        shown.unit = by_tick ? "ticks" : "batches";
        bar.emplace(options.engine, shown);
        if (by_tick) engine->watch_ticks([&](std::int32_t ticks) { bar->advance(ticks); });
      }
      const auto start = std::chrono::steady_clock::now();
      const View<const float> output = engine->run(input);
      activity.wall_s += seconds_since(start);
      const auto of_input = input_spikes(input);
      activity.add(*engine, input, of_input);
      activity.add_scores(batch, output, setup.loss);
      recorder.add(*engine, batch, of_input);
      if (!by_tick) bar->advance();
      if (interrupt_requested()) return kExitInterrupted;
    }
  }
  setup.title.files = recorder.finish(*engine);
  std::cout << (as_json ? activity_json(activity, engine->layers(), setup.title)
                        : activity_text(activity, engine->layers(), setup.title));
  return kExitOk;
}

}  // namespace

int simulate_command(const Arguments& args) {
  if (!args.empty() && args[0] == "network") return simulate_network_command({args.begin() + 1, args.end()});
  CommandLine line(
      "synfire simulate", "RUN|CONFIG",
      "Runs the network of a run, or that of a config with weights that are freshly drawn, and shows what each layer "
      "does:\nspikes, rates, synaptic events, neurons that were computed. The input is all samples of a split, one of "
      "them, a\nrecording, or made. With --out the spikes go to spikes.h5 and spikes.csv, and the first sample to "
      "raster.png.\n\n\"synfire simulate network\" runs neurons with sparse connections, as in configs/brunel.toml.");
  line.options().add_options()("sample", po::value<std::int64_t>(), "number of one sample (default: all)")(
      "split", po::value<std::string>()->default_value("test"), "test or validation")(
      "data", po::value<std::string>(), "a recording, a file of spike trains, or a FOLDER as the run's test split")(
      "input", po::value<std::string>(),
      "poisson:HZ or regular:HZ, of each input element, or FILE.csv with lines tick,neuron")(
      "ticks", po::value<std::int64_t>(), "cut after so many ticks, or silent up to them")(
      "neuron", po::value<std::vector<std::string>>(),
      "LAYER:INDEX: draws its membrane over the first sample (traces.csv, traces.png); may be repeated")(
      "engine", po::value<std::string>()->default_value("event"),
      "event: cost follows spikes; or clocked, which runs every network")(
      "arithmetic", po::value<std::string>()->default_value("stepped"), "of the event engine: stepped or lazy")(
      "checkpoint", po::value<std::string>()->default_value("", "chosen"),
      "best or last (default: what the config selects)")("out", po::value<std::string>(), "folder of files")(
      "seed", po::value<std::int64_t>(), "of made input and fresh weights (default: the config's)")(
      "json", "print JSON")("threads", po::value<int>()->default_value(0),
                            "worker threads (default: one per hardware thread)")("quiet", "no progress display");
  line.positional("network", 1);
  if (!line.parse(args)) return kExitOk;
  set_num_threads(line.get<int>("threads"));
  if (line.has("quiet")) set_progress_style(ProgressStyle::quiet);
  return simulate(read_options(line), line.has("json"));
}

}  // namespace synfire::apps
