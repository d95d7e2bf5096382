// Writes one fact of the call log to our tables and to the CRM's call list. Each fact is applied at least
// once: every step may be done again, an older fact never overwrites a newer one, and a call has one row in
// the CRM however often it is retried.
//
// Our tables on the CRM's server: the CRM's rows, the ledger row and our row are one transaction.
// Elsewhere: the ledger row, with the id taken for the call, is committed first; then the CRM's rows under
// that id, which are left alone when they are there; then our row and the ledger's revision. Cut anywhere,
// the next attempt goes on with the same id.
#pragma once

#include <memory>

#include "crm/config.hpp"
#include "crm/mysql.hpp"
#include "crm/outbox.hpp"

namespace crm {

class Applier {
 public:
    // Reads the statements of sql/ctibridge and of the adapter; throws std::runtime_error when one is
    // missing.
    explicit Applier(const Config& config);
    ~Applier();

    Sql<void> connect();  // both databases, and that our tables have the version this program knows
    [[nodiscard]] bool connected() const;
    Sql<void> ping();
    void disconnect();
    [[nodiscard]] std::string address() const;

    // After an error nothing of a transaction is left; after one of class `lost` connected() is false.
    Sql<void> apply(const StoredFact& stored);
    // Our table only: when the CRM can never take it, our log still does.
    Sql<void> apply_own(const StoredFact& stored);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
