#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/render/image.hpp"

/// Pictures of recordings: what a person looks at before trusting a data set.
namespace synfire::datasets {

/// What the sensor has just seen at each of `times_us` (ascending): every pixel in the colour of its last event, ON
/// orange, OFF blue, the paler the longer ago; after three times `decay_us` it is white again.
std::vector<Image> trace_images(const EventStream& events, const std::vector<std::int64_t>& times_us,
                                std::int64_t decay_us);

/// A decay that shows movement in a recording of this length as edges and not as a smear: a twentieth, at most 40 ms.
std::int64_t usual_decay_us(const EventStream& events);

/// The middles of `count` equal spans of the recording.
std::vector<std::int64_t> equal_times_us(const EventStream& events, int count);

/// Pictures that move at 25 a second: recordings of more than three seconds at their own speed, shorter ones slower. Of
/// long ones the first five seconds.
struct Animation {
  std::vector<Image> images;
  int delay_ms = 40;
  double slowness = 1.0;  ///< seconds shown per second recorded
};
Animation animate(const EventStream& events);

/// Pictures in rows, a caption under each; all have the size of the first.
Image contact_sheet(const std::vector<Image>& images, const std::vector<std::string>& captions, int columns);

/// x over time, y over time, and events per second over time, with axes; `width` x 3/4 `width` pixels. The darkness of
/// a point goes with the logarithm of its number of events.
Image event_raster(const EventStream& events, int width);

/// The middle of a recording, enlarged to at least 128 pixels, as PNG: a thumbnail for reports.
std::vector<unsigned char> thumbnail_png(const EventStream& events);

}  // namespace synfire::datasets
