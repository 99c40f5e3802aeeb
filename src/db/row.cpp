#include <stdexcept>

#include <fmt/format.h>

#include "db/database.h"

namespace trawl::db {
namespace {

std::string_view type_name(const Value& value) {
  constexpr std::string_view kNames[] = {"NULL", "an integer", "a real number", "text", "NULL", "NULL"};
  return kNames[value.index()];
}

const Value& at(const std::vector<Value>& columns, std::size_t column) {
  if (column < columns.size()) return columns[column];
  throw std::logic_error(fmt::format("column {} asked for, the row has {}", column, columns.size()));
}

template <class T>
const T& get(const std::vector<Value>& columns, std::size_t column, std::string_view wanted) {
  const Value& value = at(columns, column);
  if (const T* found = std::get_if<T>(&value)) return *found;
  throw std::logic_error(fmt::format("column {} is {}, not {}", column, type_name(value), wanted));
}

}  // namespace

Value null_or(std::optional<std::string> text) {
  if (!text) return NullText();
  return std::move(*text);
}

Value null_or(std::optional<std::int64_t> number) {
  if (!number) return NullInteger();
  return *number;
}

bool Row::null(std::size_t column) const {
  return std::holds_alternative<std::monostate>(at(columns_, column));
}

std::int64_t Row::integer(std::size_t column) const {
  return get<std::int64_t>(columns_, column, "an integer");
}

bool Row::boolean(std::size_t column) const {
  return integer(column) != 0;
}

double Row::real(std::size_t column) const {
  if (std::holds_alternative<std::int64_t>(at(columns_, column))) return static_cast<double>(integer(column));
  return get<double>(columns_, column, "a number");
}

const std::string& Row::text(std::size_t column) const {
  return get<std::string>(columns_, column, "text");
}

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return integer(column);
}

std::optional<std::string> Row::maybe_text(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return text(column);
}

}  // namespace trawl::db
