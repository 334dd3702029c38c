#include "datasets/render/image.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <string>

#include <gif_lib.h>
#include <png.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "datasets/render/dot_font.hpp"

namespace synfire::datasets {

void Image::put(int x, int y, int on, int off) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  on = std::clamp(on, 0, kLevels - 1);
  off = std::clamp(off, 0, kLevels - 1);
  pixels_[static_cast<std::size_t>(y) * width_ + x] = static_cast<std::uint8_t>(on * kLevels + off);
}

void Image::fill(int x, int y, int width, int height) {
  for (int j = y; j < y + height; ++j) {
    for (int i = x; i < x + width; ++i) put(i, j, kLevels - 1, kLevels - 1);
  }
}

void Image::frame(int x, int y, int width, int height) {
  fill(x, y, width, 1);
  fill(x, y + height - 1, width, 1);
  fill(x, y, 1, height);
  fill(x + width - 1, y, 1, height);
}

int Image::text(int x, int y, std::string_view text, int scale) {
  int at = x;
  for (const char letter : text) {
    const std::array<std::uint8_t, kDotRows> rows = dot_letter(letter);
    for (int row = 0; row < kDotRows; ++row) {
      for (int column = 0; column < kDotColumns; ++column) {
        const bool dot = (rows[static_cast<std::size_t>(row)] >> (kDotColumns - 1 - column) & 1) != 0;
        if (dot) fill(at + column * scale, y + row * scale, scale, scale);
      }
    }
    at += (kDotColumns + 1) * scale;
  }
  return at - x;
}

int Image::text_width(std::string_view text, int scale) {
  return static_cast<int>(text.size()) * (kDotColumns + 1) * scale;
}

int Image::text_height(int scale) { return kDotRows * scale; }

void Image::paste(const Image& other, int x, int y) {
  for (int row = 0; row < other.height_; ++row) {
    for (int column = 0; column < other.width_; ++column) {
      const int pixel = other.pixels_[static_cast<std::size_t>(row) * other.width_ + column];
      put(x + column, y + row, pixel / kLevels, pixel % kLevels);
    }
  }
}

const std::array<std::uint8_t, 768>& Image::palette() {
  static const std::array<std::uint8_t, 768> colours = [] {
    constexpr double kOrange[] = {0.88, 0.35, 0.05}, kBlue[] = {0.08, 0.36, 0.75};
    std::array<std::uint8_t, 768> result{};
    for (int on = 0; on < kLevels; ++on) {
      for (int off = 0; off < kLevels; ++off) {
        for (int c = 0; c < 3; ++c) {
          const double share_on = static_cast<double>(on) / (kLevels - 1),
                       share_off = static_cast<double>(off) / (kLevels - 1);
          const double light = (1.0 - share_on * (1.0 - kOrange[c])) * (1.0 - share_off * (1.0 - kBlue[c]));
          result[static_cast<std::size_t>(3 * (on * kLevels + off) + c)] =
              static_cast<std::uint8_t>(std::lround(255.0 * light));
        }
      }
    }
    return result;
  }();
  return colours;
}

Image enlarged(const Image& image, int factor) {
  Image result(image.width() * factor, image.height() * factor);
  for (int y = 0; y < result.height(); ++y) {
    for (int x = 0; x < result.width(); ++x) {
      const int pixel = image.pixels()[static_cast<std::size_t>(y / factor) * image.width() + x / factor];
      result.put(x, y, pixel / Image::kLevels, pixel % Image::kLevels);
    }
  }
  return result;
}

std::vector<unsigned char> png_bytes(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width());
  header.height = static_cast<png_uint_32>(image.height());
  header.format = PNG_FORMAT_RGB_COLORMAP;
  header.colormap_entries = Image::kLevels * Image::kLevels;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<unsigned char> bytes(size);
  if (!png_image_write_to_memory(&header, bytes.data(), &size, 0, image.pixels().data(), 0, Image::palette().data())) {
    throw Error(std::string("[png] ") + header.message);
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& file, const Image& image) {
  const std::vector<unsigned char> bytes = png_bytes(image);
  write_file_atomically(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void write_gif(const std::filesystem::path& file, const std::vector<Image>& images, int delay_ms) {
  std::string bytes;
  int problem = 0;
  const auto append = [](GifFileType* gif, const GifByteType* data, int length) {
    static_cast<std::string*>(gif->UserData)
        ->append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length));
    return length;
  };
  assert(!images.empty());
  const auto close = [](GifFileType* open) { EGifCloseFile(open, nullptr); };
  std::unique_ptr<GifFileType, decltype(close)> gif_handle(EGifOpen(&bytes, append, &problem), close);
  if (!gif_handle) throw FileError(file.string(), std::string("cannot make the animation: ") + GifErrorString(problem));
  GifFileType* const gif = gif_handle.get();
  const std::unique_ptr<ColorMapObject, void (*)(ColorMapObject*)> colours(GifMakeMapObject(256, nullptr),
                                                                           GifFreeMapObject);
  for (std::size_t i = 0; i < 256; ++i) {
    colours->Colors[i] = {Image::palette()[3 * i], Image::palette()[3 * i + 1], Image::palette()[3 * i + 2]};
  }
  const int width = images.front().width(), height = images.front().height();
  const auto check = [&](int status) {
    if (status == GIF_ERROR)
      throw FileError(file.string(), std::string("cannot make the animation: ") + GifErrorString(gif->Error));
  };
  EGifSetGifVersion(gif, true);
  check(EGifPutScreenDesc(gif, width, height, 8, 0, colours.get()));
  check(EGifPutExtensionLeader(gif, APPLICATION_EXT_FUNC_CODE));
  check(EGifPutExtensionBlock(gif, 11, "NETSCAPE2.0"));
  check(EGifPutExtensionBlock(gif, 3, "\x01\x00\x00"));
  check(EGifPutExtensionTrailer(gif));
  for (const Image& image : images) {
    const int hundredths = std::max(2, delay_ms / 10);
    const unsigned char control[4] = {0, static_cast<unsigned char>(hundredths & 0xff),
                                      static_cast<unsigned char>(hundredths >> 8), 0};
    check(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, control));
    check(EGifPutImageDesc(gif, 0, 0, width, height, false, nullptr));
    std::vector<GifByteType> pixels(image.pixels().begin(), image.pixels().end());
    for (int y = 0; y < height; ++y)
      check(EGifPutLine(gif, pixels.data() + static_cast<std::ptrdiff_t>(y) * width, width));
  }
  gif_handle.reset();  // writes the end
  write_file_atomically(file, bytes);
}

}  // namespace synfire::datasets
