#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/schema.h"

namespace trawl::http {

// What a route takes and gives, for the description of the API (api/openapi.h) and for whoever holds
// answers against it. What a route takes in its body and query, and how it answers and
// refuses, has no default, so a route that leaves one of them out does not compile.

// A JSON document: how it looks, and one of them.
struct Document {
  json::object (*schema)(Schemas&) = nullptr;
  json::value (*example)() = nullptr;
};

template <class T, Schemas::Use kUse>
[[nodiscard]] Document document_of() {
  return {[](Schemas& schemas) { return schemas.of<T>(kUse); }, [] { return Example<T>::make(); }};
}

// The body of a request.
class Body {
 public:
  enum class Unknown { refused, ignored };  // What happens to fields the schema does not have.

  static Body none() { return Body({}, {}, Unknown::ignored); }
  // JSON, with an Example<T>.
  template <class T>
  static Body json(Unknown unknown = Unknown::refused) {
    return Body("application/json", document_of<T, Schemas::Use::input>(), unknown);
  }
  // Bytes of another kind, as `schema` says.
  static Body other(std::string media, trawl::json::object (*schema)(Schemas&)) {
    return Body(std::move(media), {schema, nullptr}, Unknown::ignored);
  }

  // The same in another form.
  Body or_other(std::string form, trawl::json::object (*schema)(Schemas&)) && {
    others.emplace_back(std::move(form), Document{schema, nullptr});
    return std::move(*this);
  }

  std::string media;  // Empty: there is none.
  Document document;
  Unknown unknown;
  std::vector<std::pair<std::string, Document>> others;  // Further media types.

 private:
  Body(std::string type, Document what, Unknown rest)
      : media(std::move(type)), document(what), unknown(rest) {}
};

// The query parameters: the members of described structs.
class Query {
 public:
  static Query none() { return Query({}); }
  template <class... Structs>
  static Query of() {
    return Query({{[](Schemas& schemas) { return schemas.properties<Structs>(Schemas::Use::parameter); },
                   required_of<Structs>()}...});
  }

  struct Group {
    trawl::json::object (*properties)(Schemas&);
    std::vector<std::string> required;
  };
  std::vector<Group> groups;

 private:
  explicit Query(std::vector<Group> all) : groups(std::move(all)) {}

  template <class T>
  static std::vector<std::string> required_of() {
    std::vector<std::string> out;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (rule_of<T>(member.name).required) out.emplace_back(member.name);
    });
    return out;
  }
};

// The answers of a request that was carried out. Answers::json<View>(201).bytes(206, "video/*", "...")
class Answers {
 public:
  struct Answer {
    int status;
    std::string media;  // Empty: without a body.
    Document document;  // Of JSON.
    std::string text;   // For people; empty: what the status says.
  };

  // JSON, with an Example<T>.
  template <class T>
  static Answers json(int status = 200) {
    return Answers({}).or_json<T>(status);
  }
  static Answers bytes(int status, std::string media, std::string text) {
    return Answers({}).or_bytes(status, std::move(media), std::move(text));
  }
  // Of a route that has nothing but refusals.
  static Answers none() { return Answers({}); }
  static Answers empty(int status, std::string text) { return Answers({}).or_empty(status, std::move(text)); }

  template <class T>
  Answers or_json(int status) && {
    all.push_back({status, "application/json", document_of<T, Schemas::Use::output>(), {}});
    return std::move(*this);
  }
  Answers or_bytes(int status, std::string media, std::string text) && {
    all.push_back({status, std::move(media), {}, std::move(text)});
    return std::move(*this);
  }
  Answers or_empty(int status, std::string text) && {
    all.push_back({status, {}, {}, std::move(text)});
    return std::move(*this);
  }

  std::vector<Answer> all;

 private:
  explicit Answers(std::vector<Answer> list) : all(std::move(list)) {}
};

// How a route refuses, beside what every route may say (api/openapi.h): status and `error_code`. A route
// whose refusals carry whatever a site or a peer said gives the status with the code kAnyCode.
inline constexpr std::string_view kAnyCode = "*";

class Refusals {
 public:
  static Refusals none() { return Refusals({}); }
  static Refusals of(std::vector<std::pair<int, std::string_view>> list) { return Refusals(std::move(list)); }

  std::vector<std::pair<int, std::string_view>> all;

 private:
  explicit Refusals(std::vector<std::pair<int, std::string_view>> list) : all(std::move(list)) {}
};

// A header that a request may have, beside those that every route knows.
struct HeaderParameter {
  std::string_view name, text;
};

struct Contract {
  Body body;
  Query query;
  Answers answers;
  Refusals refusals;
  std::vector<HeaderParameter> headers = {};  // Few routes have any.
};

}  // namespace trawl::http
