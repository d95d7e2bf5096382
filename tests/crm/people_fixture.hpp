// crm::Callers over a real database with the vTiger sample.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "crm/callers.hpp"
#include "database.hpp"
#include "owner.hpp"

namespace test {

// A daemon's worth of callers: its owner's thread is the test's.
class Daemon {
 public:
    explicit Daemon(const crm::Config& config)
        : callers_(std::make_unique<crm::Callers>(config, owner_.post(), [this](int, std::string_view line) {
              log_ += std::string(line) + "\n";
          })) {
        callers_->on_link([this](bool up, std::string detail) {
            up_ = up;
            detail_ = std::move(detail);
        });
        callers_->on_loaded([this] { ++full_reads_; });
        callers_->on_operators([this](std::vector<crm::Operator> found) { operators_ = std::move(found); });
    }
    // Waits for the first full read, or for the news that there is none.
    void start() {
        callers_->start();
        EXPECT_TRUE(owner_.run_until([&] { return up_.has_value() && (full_reads_ > 0 || !*up_); },
                                     std::chrono::seconds(60)))
            << log_;
    }
    crm::Lookup find(std::string_view number, std::string_view user = {}, std::string_view pbx = "hq") {
        std::optional<crm::Lookup> found;
        callers_->find(number, pbx, user, [&](crm::Lookup lookup) {
            EXPECT_FALSE(found) << "answered twice";
            found = std::move(lookup);
        });
        EXPECT_FALSE(found) << "answered from inside find()";
        EXPECT_TRUE(owner_.run_until([&] { return found.has_value(); })) << log_;
        return found.value_or(crm::Lookup{});
    }
    bool until(const std::function<bool()>& reached) { return owner_.run_until(reached); }

    crm::Callers& callers() { return *callers_; }
    [[nodiscard]] const std::string& log() const { return log_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }
    [[nodiscard]] std::optional<bool> up() const { return up_; }
    [[nodiscard]] const std::vector<crm::Operator>& operators() const { return operators_; }
    [[nodiscard]] int full_reads() const { return full_reads_; }
    void end() { callers_.reset(); }

 private:
    Owner owner_;
    std::string log_, detail_;
    std::optional<bool> up_;
    int full_reads_ = 0;
    std::vector<crm::Operator> operators_;
    std::unique_ptr<crm::Callers> callers_;
};

inline std::vector<std::string> ids(const crm::Lookup& lookup) {
    std::vector<std::string> out;
    for (const auto& match : lookup.matches) out.push_back(match.id);
    return out;
}

inline crm::Config vtiger_config(const Database& server, std::string_view schema,
                                 const std::filesystem::path& state) {
    crm::Config config;
    config.sql_dir = sql_dir();
    config.state = state;
    config.crm = server.url(schema);
    config.web = "https://crm.example.org/";
    config.user_domain = "example.org";
    config.budget =
        std::chrono::milliseconds(5000);  // sanitizers are slow; what tests the budget sets its own
    config.feed_interval = std::chrono::milliseconds(100);
    config.sites = {{.pbx = "hq", .extensions = {"20?"}, .country = "CZ"}};
    return config;
}

}  // namespace test
