#include "core/config.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/nearest_word.hpp"

namespace synfire {

/// What is known about one table: where it is in the file and what was read of it. `table(key)` gives the same node
/// every time, so it does not matter which handle reads a key.
struct ConfigTable::Node {
  /// A key that was asked for: a value as TOML text, or the table(s) below.
  struct Entry {
    std::string key;
    std::optional<std::string> value;
    std::vector<std::shared_ptr<Node>> tables;
    bool is_array = false;
  };

  std::shared_ptr<const toml::table> document;  ///< keeps `content` alive
  std::string file;
  std::string path;                      ///< dotted, for messages; empty for the root
  const toml::table* content = nullptr;  ///< null if the file does not have this table
  int line = 0;
  std::vector<Entry> entries;  ///< in the order of first asking

  std::string path_of(const std::string& key) const {
    if (key.empty() || path.empty()) return path + key;
    return path + "." + key;
  }
  const toml::node* find(const std::string& key) const { return content == nullptr ? nullptr : content->get(key); }

  Entry& entry(const std::string& key) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
    return found != entries.end() ? *found : entries.emplace_back(Entry{key, {}, {}, false});
  }
  std::vector<std::string> known_keys() const {
    std::vector<std::string> keys;
    for (const Entry& e : entries) keys.push_back(e.key);
    return keys;
  }

  /// An error at `node`, or at this table if it is null. A node of an override knows that it is not from the file.
  [[noreturn]] void fail(const toml::node* node, const std::string& key, const std::string& problem) const {
    if (node != nullptr && node->source().path != nullptr && *node->source().path != file)
      throw ConfigError(*node->source().path, 0, path_of(key), problem);
    throw ConfigError(file, node == nullptr ? line : line_of(*node), path_of(key), problem);
  }
  [[noreturn]] void fail_missing(const std::string& key) const { fail(nullptr, key, "must be given"); }

  std::shared_ptr<Node> child(const std::string& child_path, const toml::table* table) const {
    auto node = std::make_shared<Node>();
    node->document = document;
    node->file = file;
    node->path = child_path;
    node->content = table;
    node->line = table == nullptr ? line : line_of(*table);
    return node;
  }

  static int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }
};

namespace {

using Node = ConfigTable::Node;

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// ---- values as TOML text

std::string toml_text(const std::string& value) {
  std::ostringstream out;
  out << toml::value<std::string>(value);
  return out.str();
}
std::string toml_text(bool value) { return value ? "true" : "false"; }
std::string toml_text(std::int64_t value) { return fmt::format("{}", value); }
std::string toml_text(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
}
template <class T>
std::string toml_text(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += (text.empty() ? "" : ", ") + toml_text(value);
  return "[" + text + "]";
}

std::string toml_key(const std::string& key) {
  const auto bare = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare) ? key : toml_text(key);
}

// ---- reading one value

std::string to_text(const Node& table, const std::string& key, const toml::node& node) {
  if (!node.is_string()) table.fail(&node, key, "must be text, is " + type_name(node));
  return node.ref<std::string>();
}

double to_number(const Node& table, const std::string& key, const toml::node& node) {
  if (!node.is_number()) table.fail(&node, key, "must be a number, is " + type_name(node));
  return *node.value<double>();
}

template <class T>
std::vector<T> to_array(const Node& table, const std::string& key, const toml::node& node,
                        T (*to_element)(const Node&, const std::string&, const toml::node&)) {
  if (!node.is_array()) table.fail(&node, key, "must be an array, is " + type_name(node));
  std::vector<T> values;
  for (const toml::node& element : *node.as_array()) values.push_back(to_element(table, key, element));
  return values;
}

std::vector<double> to_numbers(const Node& table, const std::string& key, const toml::node& node) {
  return to_array<double>(table, key, node, to_number);
}

/// The value of `key`, or the default; recorded either way.
template <class T, class Convert>
T read_value(Node& table, const std::string& key, const std::optional<T>& fallback, Convert convert) {
  const toml::node* node = table.find(key);
  Node::Entry& entry = table.entry(key);
  if (node == nullptr && !fallback) table.fail_missing(key);
  T value = node == nullptr ? *fallback : convert(*node);
  entry.value = toml_text(value);
  return value;
}

template <class T>
std::string range_text(T at_least, T at_most, T lowest, T highest) {
  if (at_most >= highest) return at_least <= lowest ? "a finite number" : fmt::format("at least {}", at_least);
  return at_least <= lowest ? fmt::format("at most {}", at_most) : fmt::format("between {} and {}", at_least, at_most);
}

std::string expand_variables(const Node& table, const std::string& key, const std::string& text) {
  const toml::node* node = table.find(key);
  std::string result;
  std::size_t begin = 0;
  for (std::size_t open = 0; (open = text.find("${", begin)) != std::string::npos;) {
    result += text.substr(begin, open - begin);
    const std::size_t close = text.find('}', open);
    if (close == std::string::npos) table.fail(node, key, "has a ${ without a }");
    const std::string inside = text.substr(open + 2, close - open - 2);
    const std::size_t mark = inside.find(":-");
    const std::string name = inside.substr(0, mark);
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') {
      result += value;
    } else if (mark != std::string::npos) {
      result += inside.substr(mark + 2);
    } else {
      table.fail(node, key,
                 fmt::format("the environment variable {} is not set; ${{{}:-value}} gives a default", name, name));
    }
    begin = close + 1;
  }
  return result + text.substr(begin);
}

// ---- what nobody asked for

struct Unknown {
  const Node* table;
  const toml::node* node;
  std::string key;
};

void collect_unknown(const Node& table, std::vector<Unknown>& found) {
  if (table.content != nullptr)
    for (const auto& [key, node] : *table.content) {
      const std::string name(key.str());
      const auto read = [&](const Node::Entry& e) { return e.key == name; };
      if (std::none_of(table.entries.begin(), table.entries.end(), read)) found.push_back({&table, &node, name});
    }
  for (const Node::Entry& entry : table.entries)
    for (const auto& child : entry.tables) collect_unknown(*child, found);
}

// ---- the resolved configuration

bool has_content(const Node& table) {
  return std::any_of(table.entries.begin(), table.entries.end(), [](const Node::Entry& entry) {
    return entry.value || entry.is_array ||
           std::any_of(entry.tables.begin(), entry.tables.end(), [](const auto& child) { return has_content(*child); });
  });
}

void write_resolved(const Node& table, const std::string& header, std::string& text) {
  for (const Node::Entry& entry : table.entries)
    if (entry.value) text += fmt::format("{} = {}\n", toml_key(entry.key), *entry.value);
  for (const Node::Entry& entry : table.entries)
    for (const auto& child : entry.tables) {
      if (!entry.is_array && !has_content(*child)) continue;
      const std::string name = fmt::format("{}{}{}", header, header.empty() ? "" : ".", toml_key(entry.key));
      if (!text.empty()) text += '\n';
      text += entry.is_array ? fmt::format("[[{}]]\n", name) : fmt::format("[{}]\n", name);
      write_resolved(*child, name, text);
    }
}

// ---- overrides

/// Puts the value into `table`. What is moved keeps where it came from, what is copied does not.
void set_value(toml::table& table, const std::string& key, const std::string& text, const std::string& source) {
  constexpr const char* kName = "value";
  std::optional<toml::table> parsed;
  try {
    parsed = toml::parse(fmt::format("{} = {}", kName, text), source);
  } catch (const toml::parse_error& error) {
    if (!text.empty() && std::string_view("\"'[{").find(text.front()) != std::string_view::npos)
      throw ConfigError(source, 0, "", std::string(error.description()));
  }
  if (!parsed || parsed->size() != 1) {
    // A bare word. It is written as TOML once more so that it too knows its source.
    parsed = toml::parse(fmt::format("{} = {}", kName, toml_text(text)), source);
  }
  parsed->get(kName)->visit([&](auto& value) { table.insert_or_assign(key, std::move(value)); });
}

toml::table& element_named(toml::array& array, std::string_view& rest, const std::string& source) {
  std::vector<std::string> names;
  for (toml::node& node : array) {
    const std::optional<std::string> name =
        node.is_table() ? (*node.as_table())["name"].value<std::string>() : std::nullopt;
    if (!name) continue;
    // A name may have dots in it, so the rest of the path is compared as a whole.
    if (rest.starts_with(*name + ".")) {
      rest.remove_prefix(name->size() + 1);
      return *node.as_table();
    }
    names.push_back(*name);
  }
  const std::string wanted(rest.substr(0, rest.find('.')));
  throw ConfigError(source, 0, "",
                    names.empty() ? "the array has no table with a name"
                                  : fmt::format("no table is named \"{}\", the nearest is \"{}\"", wanted,
                                                nearest_word(wanted, names)));
}

void apply_override(toml::table& root, const std::string& text) {
  const std::string source = "--set " + text;
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw ConfigError(source, 0, "", "must be key=value");
  std::string_view rest = std::string_view(text).substr(0, equals);
  toml::table* table = &root;
  for (std::size_t dot = 0; (dot = rest.find('.')) != std::string_view::npos;) {
    const std::string key(rest.substr(0, dot));
    rest.remove_prefix(dot + 1);
    if (!table->contains(key)) table->insert(key, toml::table{});
    toml::node& next = *table->get(key);
    if (next.is_table()) {
      table = next.as_table();
    } else if (next.is_array_of_tables()) {
      table = &element_named(*next.as_array(), rest, source);
    } else {
      throw ConfigError(source, 0, "", fmt::format("\"{}\" is {}, not a table", key, type_name(next)));
    }
  }
  if (rest.empty()) throw ConfigError(source, 0, "", "the key has an empty part");
  set_value(*table, std::string(rest), text.substr(equals + 1), source);
}

}  // namespace

std::string ConfigTable::text(const std::string& key, const std::optional<std::string>& fallback) const {
  return read_value(*node_, key, fallback, [&](const toml::node& node) { return to_text(*node_, key, node); });
}

std::string ConfigTable::choice(const std::string& key, const std::vector<std::string>& choices,
                                const std::optional<std::string>& fallback) const {
  std::string value = text(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) == choices.end())
    fail(key, fmt::format("must be one of {}; the nearest to \"{}\" is \"{}\"", fmt::join(choices, ", "), value,
                          nearest_word(value, choices)));
  return value;
}

bool ConfigTable::flag(const std::string& key, std::optional<bool> fallback) const {
  return read_value(*node_, key, fallback, [&](const toml::node& node) {
    if (!node.is_boolean()) node_->fail(&node, key, "must be true or false, is " + type_name(node));
    return node.ref<bool>();
  });
}

std::int64_t ConfigTable::integer(const std::string& key, std::optional<std::int64_t> fallback, std::int64_t at_least,
                                  std::int64_t at_most) const {
  return read_value(*node_, key, fallback, [&](const toml::node& node) {
    if (!node.is_integer()) node_->fail(&node, key, "must be an integer, is " + type_name(node));
    const std::int64_t value = node.ref<std::int64_t>();
    if (value < at_least || value > at_most)
      node_->fail(&node, key,
                  fmt::format("must be {}, is {}", range_text(at_least, at_most, INT64_MIN, INT64_MAX), value));
    return value;
  });
}

double ConfigTable::number(const std::string& key, std::optional<double> fallback, double at_least,
                           double at_most) const {
  return read_value(*node_, key, fallback, [&](const toml::node& node) {
    const double value = to_number(*node_, key, node);
    constexpr double kMax = std::numeric_limits<double>::max();
    // Written so that a NaN is out of every range.
    if (!(value >= at_least && value <= at_most))
      node_->fail(&node, key, fmt::format("must be {}, is {}", range_text(at_least, at_most, -kMax, kMax), value));
    return value;
  });
}

std::vector<double> ConfigTable::numbers(const std::string& key,
                                         const std::optional<std::vector<double>>& fallback) const {
  return read_value(*node_, key, fallback,
                    [&](const toml::node& node) { return to_array<double>(*node_, key, node, to_number); });
}

std::vector<std::vector<double>> ConfigTable::rows_of_numbers(
    const std::string& key, const std::optional<std::vector<std::vector<double>>>& fallback) const {
  return read_value(*node_, key, fallback, [&](const toml::node& node) {
    return to_array<std::vector<double>>(*node_, key, node, to_numbers);
  });
}

std::vector<std::string> ConfigTable::texts(const std::string& key,
                                            const std::optional<std::vector<std::string>>& fallback) const {
  return read_value(*node_, key, fallback,
                    [&](const toml::node& node) { return to_array<std::string>(*node_, key, node, to_text); });
}

std::filesystem::path ConfigTable::path(const std::string& key, const std::optional<std::string>& fallback) const {
  const std::string expanded = expand_variables(*node_, key, text(key, fallback));
  node_->entry(key).value = toml_text(expanded);
  return expanded;
}

std::vector<std::filesystem::path> ConfigTable::paths(const std::string& key,
                                                      const std::optional<std::vector<std::string>>& fallback) const {
  std::vector<std::string> expanded = read_value(*node_, key, fallback, [&](const toml::node& node) {
    return node.is_string() ? std::vector{to_text(*node_, key, node)}
                            : to_array<std::string>(*node_, key, node, to_text);
  });
  for (std::string& text : expanded) text = expand_variables(*node_, key, text);
  node_->entry(key).value = toml_text(expanded);
  return {expanded.begin(), expanded.end()};
}

bool ConfigTable::has(const std::string& key) const { return node_->find(key) != nullptr; }

ConfigTable ConfigTable::table(const std::string& key) const {
  const toml::node* node = node_->find(key);
  if (node != nullptr && !node->is_table()) node_->fail(node, key, "must be a table, is " + type_name(*node));
  Node::Entry& entry = node_->entry(key);
  if (entry.tables.empty())
    entry.tables.push_back(node_->child(node_->path_of(key), node == nullptr ? nullptr : node->as_table()));
  return ConfigTable(entry.tables.front());
}

std::vector<ConfigTable> ConfigTable::tables(const std::string& key) const {
  const toml::node* node = node_->find(key);
  Node::Entry& entry = node_->entry(key);
  entry.is_array = true;
  if (node != nullptr && entry.tables.empty()) {
    if (!node->is_array()) node_->fail(node, key, "must be an array of tables, is " + type_name(*node));
    for (const toml::node& element : *node->as_array()) {
      if (!element.is_table()) node_->fail(&element, key, "must hold tables only, has " + type_name(element));
      const toml::table& table = *element.as_table();
      const std::string name = table["name"].value_or(std::string());
      const std::string suffix = name.empty() ? fmt::format("[{}]", entry.tables.size()) : "." + name;
      entry.tables.push_back(node_->child(node_->path_of(key) + suffix, &table));
    }
  }
  std::vector<ConfigTable> result;
  for (const auto& child : entry.tables) result.emplace_back(child);
  return result;
}

void ConfigTable::fail(const std::string& key, const std::string& problem) const {
  node_->fail(key.empty() ? nullptr : node_->find(key), key, problem);
}

void ConfigTable::finish() const {
  std::vector<Unknown> unknown;
  collect_unknown(*node_, unknown);
  if (unknown.empty()) return;
  const Unknown& first = *std::min_element(unknown.begin(), unknown.end(), [](const Unknown& a, const Unknown& b) {
    return Node::line_of(*a.node) < Node::line_of(*b.node);
  });
  const std::string nearest = nearest_word(first.key, first.table->known_keys());
  first.table->fail(
      first.node, first.key,
      nearest.empty() ? "unknown key" : fmt::format("unknown key, the nearest known one is \"{}\"", nearest));
}

Config Config::load(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return parse(read_whole_file(file), file.string(), overrides);
}

Config Config::parse(const std::string& toml_text, const std::string& name, const std::vector<std::string>& overrides) {
  auto document = std::make_shared<toml::table>();
  try {
    *document = toml::parse(toml_text, name);
  } catch (const toml::parse_error& error) {
    throw ConfigError(name, static_cast<int>(error.source().begin.line), "", std::string(error.description()));
  }
  for (const std::string& text : overrides) apply_override(*document, text);
  auto node = std::make_shared<ConfigTable::Node>();
  node->content = document.get();
  node->document = std::move(document);
  node->file = name;
  return Config(ConfigTable(std::move(node)));
}

std::string Config::resolved() const {
  std::string text;
  write_resolved(*root_.node_, "", text);
  return text;
}

}  // namespace synfire
