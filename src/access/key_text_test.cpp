#include "access/key_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "access/key.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

TEST(KeyText, IsWellFormedUniqueAndNamesItsId) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const KeyText key = make_key();
    EXPECT_EQ(key.text.size(), 64u);
    EXPECT_TRUE(key.text.starts_with("trawl_" + key.id + "_"));
    EXPECT_EQ(key_id_of(key.text), key.id);
    seen.insert(key.text.substr(15, 43));
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(KeyText, KeepsTheIdOfAKeyThatIsRotated) {
  const KeyText first = make_key(), second = make_key(first.id);
  EXPECT_EQ(first.id, second.id);
  EXPECT_NE(first.text, second.text);
}

TEST(KeyText, NoticesEverySingleWrongCharacterByItsChecksum) {
  const std::string text = make_key().text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(key_id_of(wrong), std::nullopt) << i;
    EXPECT_EQ(key_id_of(text.substr(0, i)), std::nullopt) << i;
  }
  for (const std::string& other : {text + "x", " " + text, std::string(64, 'a'), std::string(64, '\0')})
    EXPECT_EQ(key_id_of(other), std::nullopt);
}

TEST(KeyText, IsKeptAsADigestThatDoesNotContainIt) {
  const KeyText key = make_key();
  EXPECT_EQ(secret_digest(key.text).size(), 64u);
  EXPECT_EQ(secret_digest(key.text), secret_digest(key.text));
  EXPECT_NE(secret_digest(key.text), secret_digest(make_key(key.id).text));
}

TEST(JudgeKey, TellsWhyAKeyIsRefusedOnlyToItsHolder) {
  const SystemTime now{Millis{1'000'000}};
  const std::string right(64, 'a'), wrong(64, 'b'), previous(64, 'c');
  const auto reason = [&](const Key& key, const KeySecrets& secrets, const std::string& offered) {
    const auto judged = judge_key(key, secrets, offered, now);
    return judged ? std::string("good") : judged.error().reason;
  };
  const KeySecrets secrets{.digest = right, .previous_digest = previous, .previous_until = now + 1s};
  const KeySecrets over{.digest = right, .previous_digest = previous, .previous_until = now};
  Key key;
  EXPECT_EQ(reason(key, secrets, right), "good");
  EXPECT_EQ(reason(key, secrets, previous), "good");
  EXPECT_EQ(reason(key, over, previous), "key_invalid");
  EXPECT_EQ(reason(key, {.digest = right}, ""), "key_invalid");
  key.expires_at = now + 1ms;
  EXPECT_EQ(reason(key, secrets, right), "good");
  key.expires_at = now;
  EXPECT_EQ(reason(key, secrets, right), "key_expired");
  EXPECT_EQ(reason(key, secrets, wrong), "key_invalid");
  key.active = false;
  EXPECT_EQ(reason(key, secrets, right), "key_disabled");
  key.revoked_at = now;
  EXPECT_EQ(reason(key, secrets, right), "key_revoked");
  EXPECT_EQ(reason(key, secrets, previous), "key_revoked");
  EXPECT_EQ(reason(key, secrets, wrong), "key_invalid");
}

// Welch's t of two samples, each without its slower half: that belongs to the scheduler and the other tests.
double welch_t(std::vector<double> a, std::vector<double> b) {
  const auto moments = [](std::vector<double>& sample) {
    std::ranges::sort(sample);
    sample.resize(sample.size() / 2);
    const double n = static_cast<double>(sample.size());
    const double mean = std::accumulate(sample.begin(), sample.end(), 0.0) / n;
    double squares = 0;
    for (const double x : sample) squares += (x - mean) * (x - mean);
    return std::pair(mean, squares / (n - 1) / n);
  };
  const auto [mean_a, error_a] = moments(a);
  const auto [mean_b, error_b] = moments(b);
  return std::abs(mean_a - mean_b) / std::sqrt(error_a + error_b);
}

// How much longer, in standard errors, judging a guess takes that is right but for its last character than
// one that is wrong from the start; 20,000 of each, in random order.
double t_of_right_and_wrong_beginnings() {
  const std::string key = make_key().text;
  std::string guesses[2] = {key, key};
  guesses[0].back() = key.back() == 'a' ? 'b' : 'a';
  for (char& c : guesses[1]) c = c == 'x' ? 'y' : 'x';
  const KeySecrets secrets{.digest = secret_digest(key), .previous_digest = {}, .previous_until = {}};
  const SystemTime now{Millis{1}};
  const Key nobody;
  std::mt19937 random(7);
  std::vector<double> times[2];
  while (times[0].size() < 20'000 || times[1].size() < 20'000) {
    const std::size_t which = random() & 1;
    const std::string& guess = guesses[which];
    const auto begin = std::chrono::steady_clock::now();
    const bool passed = judge_key(nobody, secrets, secret_digest(guess), now).has_value();
    const auto took = std::chrono::steady_clock::now() - begin;
    if (passed) ADD_FAILURE() << "a guess passed";
    times[which].push_back(std::chrono::duration<double, std::nano>(took).count());
  }
  return welch_t(std::move(times[0]), std::move(times[1]));
}

TEST(JudgeKey, TakesAsLongForARightBeginningAsForAWrongOne) {
  // A difference that is there shows in every measurement; one that the machine made does not.
  double t = 0;
  for (int i = 0; i < 5; ++i) {
    t = t_of_right_and_wrong_beginnings();
    if (t < 4.5) break;
  }
  EXPECT_LT(t, 4.5);
}

}  // namespace
}  // namespace trawl::access
