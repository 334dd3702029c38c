#pragma once

#include <cstdint>
#include <vector>

#include "core/event_stream.hpp"
#include "datasets/render/image.hpp"

/// Pictures of recordings: what a person looks at before trusting a data set.
namespace synfire::datasets {

/// How often each pixel fired from `begin_us` up to `end_us`, as ink: ON orange, OFF blue. A pixel that fired as often
/// as the busiest percent of the active ones is in full colour.
Image event_image(const EventStream& events, std::int64_t begin_us, std::int64_t end_us);

/// The whole recording cut into `count` equal spans, a picture each.
std::vector<Image> event_images(const EventStream& events, int count);

/// x over time, y over time, and events per second over time, with axes; `width` x 3/4 `width` pixels.
Image event_raster(const EventStream& events, int width);

/// The middle fifth of a recording (at most 200 ms), enlarged to at least 128 pixels, as PNG: a thumbnail for reports.
std::vector<unsigned char> thumbnail_png(const EventStream& events);

}  // namespace synfire::datasets
