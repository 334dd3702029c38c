#include "apps/commands.hpp"
#include "apps/dispatch.hpp"

namespace synfire::apps {

int data_command(const Arguments& args) {
  static const std::vector<CommandEntry> kCommands = {
      {"info", "counts, duration, rate and polarity of recordings, or what spike trains hold", data_info_command},
      {"convert", "write a recording in another format", data_convert_command},
      {"simulate", "make recordings with a simulated event camera", data_simulate_command},
      {"view", "pictures of a recording: frames, animation, raster; a raster of a spike train", data_view_command},
  };
  return dispatch("synfire data", "Looks at, converts, simulates and views recordings of event cameras.", kCommands,
                  args);
}

}  // namespace synfire::apps
