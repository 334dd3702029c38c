#pragma once

#include <string>
#include <vector>

/// The commands of the program `synfire`: options in, exit code out. Errors leave as exceptions; main turns them into
/// one line on stderr and exit code 2.
namespace synfire::apps {

using Arguments = std::vector<std::string>;

int train_command(const Arguments& args);
int eval_command(const Arguments& args);
/// Also hands `synfire simulate network` on.
int simulate_command(const Arguments& args);
int energy_command(const Arguments& args);
int simulate_network_command(const Arguments& args);
int model_command(const Arguments& args);
/// `synfire data info|convert|simulate|view`, and `synfire data simulate cochlea`
int data_command(const Arguments& args);
int data_info_command(const Arguments& args);
int data_convert_command(const Arguments& args);
int data_simulate_command(const Arguments& args);
int data_simulate_cochlea_command(const Arguments& args);
int data_view_command(const Arguments& args);

inline constexpr int kExitOk = 0;
inline constexpr int kExitDiffer = 1;
inline constexpr int kExitError = 2;
inline constexpr int kExitInterrupted = 130;

}  // namespace synfire::apps
