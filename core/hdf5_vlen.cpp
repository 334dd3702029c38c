#include "core/hdf5_vlen.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "core/hdf5_place.hpp"

namespace synfire {

using namespace hdf5;

namespace {

/// The library has no half of its own before 2.0: its float of 4 bytes is cut down.
Handle half_type(const Place& place) {
  Handle type = place.checked(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "cannot make a type of 16 bits");
  place.check(H5Tset_fields(type.get(), 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type.get(), 2) >= 0 &&
                  H5Tset_ebias(type.get(), 15) >= 0,
              "cannot make a type of 16 bits");
  return type;
}

Handle element_type(const Place& place, Half) { return half_type(place); }
Handle element_type(const Place& place, std::uint16_t) {
  return place.checked(H5Tcopy(H5T_STD_U16LE), H5Tclose, "cannot make a type of 16 bits");
}

}  // namespace

template <class T>
void append_rows(Hdf5File& file, const std::string& path, std::span<const std::span<const T>> rows) {
  constexpr hsize_t kChunkLength = 256;
  const auto lock = lock_library();
  const Place place(file, path);
  const Handle type = place.checked(H5Tvlen_create(element_type(place, T{}).get()), H5Tclose, "cannot make a type");
  if (!place.exists()) {
    const std::array<hsize_t, 1> none{0};
    const std::array<hsize_t, 1> unlimited{H5S_UNLIMITED};
    new_data_set(place, type.get(), new_space(place, none, unlimited.data()), kChunkLength);
  }
  if (rows.empty()) return;
  std::vector<hvl_t> pointers(rows.size());
  // The library takes a pointer to what it will not change.
  for (std::size_t i = 0; i < rows.size(); ++i) pointers[i] = {rows[i].size(), const_cast<T*>(rows[i].data())};
  const Handle set = place.open_data_set();
  const Handle file_space = grow(place, set, rows.size());
  const std::array<hsize_t, 1> count{rows.size()};
  const Handle memory_space = new_space(place, count);
  place.check(H5Dwrite(set.get(), type.get(), memory_space.get(), file_space.get(), H5P_DEFAULT, pointers.data()) >= 0,
              "cannot write");
}

template void append_rows(Hdf5File&, const std::string&, std::span<const std::span<const Half>>);
template void append_rows(Hdf5File&, const std::string&, std::span<const std::span<const std::uint16_t>>);

void write_texts(Hdf5File& file, const std::string& path, std::span<const std::string> texts) {
  const auto lock = lock_library();
  const Place place(file, path);
  std::size_t longest = 1;
  for (const std::string& text : texts) {
    if (text.find('\0') != std::string::npos) place.fail_format("a text must not contain a zero byte");
    longest = std::max(longest, text.size());
  }
  const Handle type = place.checked(H5Tcopy(H5T_C_S1), H5Tclose, "cannot make a text type");
  place.check(H5Tset_size(type.get(), longest) >= 0 && H5Tset_strpad(type.get(), H5T_STR_NULLPAD) >= 0 &&
                  H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0,
              "cannot make a text type");
  const std::array<hsize_t, 1> count{texts.size()};
  const Handle set = new_data_set(place, type.get(), new_space(place, count));
  if (texts.empty()) return;
  std::string padded(longest * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i].copy(padded.data() + i * longest, longest);
  place.check(H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()) >= 0, "cannot write");
}

}  // namespace synfire
