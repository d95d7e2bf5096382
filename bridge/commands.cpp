#include "bridge/commands.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "bridge/check.hpp"
#include "bridge/config.hpp"
#include "bridge/control_commands.hpp"
#include "bridge/daemon.hpp"
#include "bridge/extensions.hpp"
#include "bridge/log.hpp"
#include "bridge/lookup_command.hpp"
#include "bridge/recorder.hpp"
#include "bridge/replay.hpp"
#include "bridge/roster_commands.hpp"
#include "bridge/roster_file.hpp"
#include "bridge/serve.hpp"
#include "bridge/vtiger_commands.hpp"
#include "crm/call_log.hpp"
#include "crm/numbers.hpp"

namespace bridge {

namespace {

constexpr int ok = 0, failed = 1, wrong = 2;

struct Arguments {
    std::string config = "/etc/ctibridge/ctibridge.yaml";
    bool config_given = false;
    bool json = false;
    std::string pbx, file;      // record, replay
    std::string people, times;  // replay
    std::size_t chunk = 0;
    bool explain = false;
    bool dry_run = false;   // import
    std::string anonymous;  // replay --anonymise
    RecordOptions record;
    double record_seconds = 0;
    PlayOptions play;  // replay --serve
    std::optional<unsigned short> serve;
    std::string of;       // explain
    std::string dialing;  // on, off
    bool all = false;
    std::size_t last = 5;
    VtigerOptions vtiger;  // its dry_run is the one above
    std::string as;        // lookup
    std::vector<std::string> numbers;
};

// The configuration, or nothing after its faults were printed.
std::optional<Config> configuration(const std::string& file, LoadOptions options = {}) {
    auto config = load_config(file, options);
    if (!config) {
        for (const auto& line : config.error().lines) fmt::print(stderr, "{}\n", line);
        return std::nullopt;
    }
    return std::move(*config);
}

int run(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    Logger log(config->log_level);
    for (const auto& line : config->warnings) log(log_warning, line);
    log(log_info, fmt::format("ctibridge {} begins", CTIBRIDGE_VERSION));
    return Daemon(std::move(*config), log).run();
}

int run_migrate(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    for (const auto& line : crm::migrate(config->crm)) fmt::print("{}\n", line);
    return ok;
}

int run_check(const Arguments& arguments) {
    auto config = load_config(arguments.config);
    auto findings = config ? check(*config) : findings_of(config.error());
    print(findings, arguments.json, std::cout);
    return exit_code(findings);
}

int run_lookup(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    return lookup_command(config->crm,
                          {.json = arguments.json, .as = arguments.as, .numbers = arguments.numbers},
                          std::cin, std::cout, std::cerr);
}

// Numbers that are nobody's outside this company.
std::function<bool(std::string_view)> internal_numbers(const std::vector<std::string>& patterns) {
    return [patterns](std::string_view number) {
        return std::ranges::any_of(patterns, [&](const std::string& one) { return glob(one, number); });
    };
}

int run_anonymise(const Arguments& arguments) {
    std::vector<std::string> patterns;
    if (arguments.config_given) {
        auto config = configuration(arguments.config, {.secrets = false});
        if (!config) return wrong;
        for (const auto& pbx : config->pbx)
            patterns.insert(patterns.end(), pbx.extensions.begin(), pbx.extensions.end());
    }
    return anonymise_file(arguments.file, arguments.times, arguments.anonymous, internal_numbers(patterns));
}

int run_serve(const Arguments& arguments) {
    ServeOptions options;
    options.trace = arguments.file;
    if (!arguments.times.empty()) options.times = arguments.times;
    options.port = *arguments.serve;
    options.play = arguments.play;
    return serve(options);
}

int run_replay(const Arguments& arguments) {
    if (arguments.serve) return run_serve(arguments);
    if (!arguments.anonymous.empty()) return run_anonymise(arguments);
    ReplayOptions options;
    options.trace = arguments.file;
    if (!arguments.times.empty()) options.times = arguments.times;
    if (!arguments.people.empty()) {
        if (is_roster(arguments.people)) {
            auto roster = load_roster(arguments.people, {.pbx = {}, .schemes = {}});
            if (!roster) {
                for (const auto& line : roster.error()) fmt::print(stderr, "{}\n", line);
                return wrong;
            }
            options.operators = std::move(roster->operators);
            options.services = std::move(roster->services);
        } else {
            options.people = arguments.people;
        }
    }
    options.chunk = arguments.chunk;
    options.explain = arguments.explain;
    options.desk.pbx = arguments.pbx.empty() ? "hq" : arguments.pbx;
    if (arguments.config_given) {
        // A support case is replayed where the site's secrets are not.
        auto config = configuration(arguments.config, {.secrets = false});
        if (!config) return wrong;
        const PbxConfig* chosen = nullptr;
        for (const auto& pbx : config->pbx)
            if (arguments.pbx.empty() ? chosen == nullptr : pbx.name == arguments.pbx) chosen = &pbx;
        if (chosen == nullptr) {
            fmt::print(stderr, "replay: the configuration has no pbx `{}`\n", arguments.pbx);
            return wrong;
        }
        options.desk =
            DeskConfig{.pbx = chosen->name, .channels = chosen->channels, .extensions = chosen->extensions};
        auto numbers = std::make_shared<crm::Numbers>(config->crm.sites);
        options.normalise = [numbers, name = chosen->name](const std::string& text) {
            auto number = numbers->understand(text, name);
            return number.internal ? text : number.e164.value_or(text);
        };
    }
    return replay(options, std::cout, std::cerr);
}

int run_status(const Arguments& arguments) {
    auto config = configuration(arguments.config, {.secrets = false});
    if (!config) return wrong;
    return status_command(config->control, arguments.json, std::cout, std::cerr);
}

int run_dialing(const Arguments& arguments) {
    auto config = configuration(arguments.config, {.secrets = false});
    if (!config) return wrong;
    return dialing_command(config->control, arguments.dialing, arguments.pbx, std::cout, std::cerr);
}

int run_explain(const Arguments& arguments) {
    auto config = configuration(arguments.config, {.secrets = false});
    if (!config) return wrong;
    return explain_command(
        config->control,
        {.of = arguments.of, .json = arguments.json, .all = arguments.all, .last = arguments.last}, std::cout,
        std::cerr);
}

int run_record(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    Logger log(config->log_level);
    RecordOptions options = arguments.record;
    options.file = arguments.file;
    options.longest = Millis(static_cast<std::int64_t>(arguments.record_seconds * 1000));
    for (const auto& pbx : config->pbx) {
        if (pbx.name != arguments.pbx) continue;
        options.internal = internal_numbers(pbx.extensions);
        return record_session(pbx, config->control, options, log);
    }
    fmt::print(stderr, "record: the configuration has no pbx `{}`\n", arguments.pbx);
    return wrong;
}

int run_import(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    return import_roster(*config, arguments.file, arguments.dry_run, std::cout, std::cerr);
}

int run_export(const Arguments& arguments) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    return export_roster(*config, arguments.file, std::cout, std::cerr);
}

int run_vtiger(const Arguments& arguments, int (*command)(const Config&, const VtigerOptions&, std::istream&,
                                                          std::ostream&, std::ostream&)) {
    auto config = configuration(arguments.config);
    if (!config) return wrong;
    auto options = arguments.vtiger;
    options.dry_run = arguments.dry_run;
    return command(*config, options, std::cin, std::cout, std::cerr);
}

int run_vtiger_install(const Arguments& arguments) {
    return run_vtiger(arguments, vtiger_install);
}

int run_vtiger_remove(const Arguments& arguments) {
    return run_vtiger(arguments, vtiger_remove);
}

void add_record_options(CLI::App& record, Arguments& arguments) {
    record.add_flag("--direct", arguments.record.direct, "a session of its own, with every class of events");
    record.add_flag("--anonymise", arguments.record.anonymise,
                    "names and numbers become pseudonyms; the file is written at the end");
    record.add_option("--seconds", arguments.record_seconds, "end after that time")
        ->check(CLI::Range(0.1, 1e7));
    record.add_option("--max-size", arguments.record.most, "end before the file is larger, e.g. 50MB")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str();
}

void add_serve_options(CLI::App& replay, Arguments& arguments) {
    auto* serve = replay.add_option(
        "--serve", arguments.serve,
        "play the trace as a pbx on this port of 127.0.0.1 (0: a free one), once, as fast as recorded with "
        "--times: a client logs in, gets true lists and the recorded events; what would change the recording "
        "is refused. Says what happens as JSON lines, first {\"listening\": PORT}");
    auto option = [&](CLI::Option* one) { one->needs(serve)->group("With --serve"); };
    option(replay.add_option("--speed", arguments.play.speed, "times as fast as recorded")
               ->check(CLI::Range(0.01, 1e6)));
    option(replay.add_flag("--wait", arguments.play.wait,
                           "begin when a client has asked for every list of an initial synchronisation; "
                           "without it when one has logged in"));
    option(replay.add_flag("--stay", arguments.play.stay, "keep the connection after the last event"));
    option(replay.add_flag("--originate", arguments.play.originate,
                           "each recorded click-to-dial waits for one of the client's (same channel and "
                           "number) and takes its ids; without it Originate is refused"));
    option(replay.add_option("--user", arguments.play.username, "the only user who may log in"));
    option(replay.add_option("--secret", arguments.play.secret, "... with this secret; else any will do"));
}

void add_vtiger_options(CLI::App& vtiger, Arguments& arguments, int (*&command)(const Arguments&)) {
    auto* install = vtiger.add_subcommand("install",
                                          "one row in vTiger's table of links and one new file in its tree; "
                                          "says what it does, and asks");
    install
        ->add_option("--console", arguments.vtiger.console, "where the console is: https://cti.example.org/")
        ->required();
    install->callback([&command] { command = run_vtiger_install; });
    auto* remove = vtiger.add_subcommand("remove", "takes both away");
    remove->callback([&command] { command = run_vtiger_remove; });
    for (auto* one : {install, remove}) {
        one->fallthrough();  // --config may stand behind it, too
        one->add_option("--docroot", arguments.vtiger.docroot, "directory with vTiger's index.php");
        one->add_flag("--dry-run", arguments.dry_run, "only say what would be done");
        one->add_flag("--yes", arguments.vtiger.yes, "do it without asking");
    }
}

}  // namespace

int command_line(int argc, char** argv) {
    Arguments arguments;
    CLI::App app(
        "Joins a telephone exchange (Asterisk), an XMPP server and a CRM: screen pops, click-to-dial, call "
        "log.",
        "ctibridge");
    app.set_version_flag("--version", fmt::format("ctibridge {}", CTIBRIDGE_VERSION));
    app.require_subcommand(1);
    app.footer("Configuration: docs/design.md, section 4. Begin with `ctibridge check`.");

    int (*command)(const Arguments&) = nullptr;
    auto add = [&](const char* name, const char* what, int (*function)(const Arguments&)) {
        auto* sub = app.add_subcommand(name, what);
        auto* config =
            sub->add_option("--config", arguments.config, "the configuration")->capture_default_str();
        sub->callback([&command, &arguments, config, function] {
            if (function != nullptr) command = function;
            arguments.config_given = config->count() > 0;
        });
        return sub;
    };
    add("run", "the daemon, in the foreground; tells systemd when it is ready", run);
    add("migrate", "create or upgrade our tables", run_migrate);
    auto* checking =
        add("check", "configuration, then every link, right and mapping: what is wrong and how to mend it",
            run_check);
    checking->add_flag("--json", arguments.json, "one JSON array");
    auto* importing =
        add("import", "operators, services and seats from a YAML file into our tables: all or nothing",
            run_import);
    importing->add_option("file", arguments.file, "the file; `export` writes one")->required();
    importing->add_flag("--dry-run", arguments.dry_run, "only say what would change");
    auto* exporting = add("export", "operators, services and seats of our tables as YAML", run_export);
    exporting->add_option("file", arguments.file, "file to write; without it to the output");
    auto* lookup = add("lookup", "who matches a number, ranked, and why", run_lookup);
    lookup->add_flag("--json", arguments.json, "one object a line");
    lookup->add_option("--as", arguments.as, "JID: as this operator would be shown it");
    lookup->add_option("number", arguments.numbers, "numbers; -: one a line from the input")->required();
    auto* playing = add(
        "replay", "a recorded session through parser, call model and desk, as JSON lines; needs no server",
        run_replay);
    playing->add_option("trace", arguments.file, "the recorded bytes (.ami)")->required();
    playing->add_option("--times", arguments.times, "when they came (.times)");
    playing->add_option(
        "--people", arguments.people,
        "YAML: [{jid: anna@example.org, pbx: hq, extension: \"201\"}, ...], or a file of `export`");
    playing->add_option("--pbx", arguments.pbx, "name of the pbx; default hq, or the first of --config");
    playing->add_option("--chunk", arguments.chunk, "bytes fed at once; changes nothing in the output");
    playing->add_flag("--explain", arguments.explain, "every decision as a sentence, on stderr");
    playing
        ->add_option("--anonymise", arguments.anonymous,
                     "OUT: write the trace with pseudonyms for names and numbers, instead of replaying it; "
                     "its times go into OUT with .times")
        ->excludes("--explain", "--people", "--pbx", "--chunk");
    add_serve_options(*playing, arguments);
    auto* status =
        add("status",
            "what the running daemon does: links, calls, outbox; exit code 0: every link is up, 1: one is "
            "down, 2: no daemon answers",
            run_status);
    status->add_flag("--json", arguments.json, "one JSON object");
    auto* dialing = add("dialing",
                        "switch the running daemon's dialling off or on, or ask how it is; exit code 0: on, "
                        "1: off somewhere, "
                        "2: no daemon answers",
                        run_dialing);
    dialing->add_option("state", arguments.dialing, "on or off; without it: ask")
        ->check(CLI::IsMember({"on", "off"}));
    dialing->add_option("pbx", arguments.pbx, "only this pbx of the configuration; without it: all");
    auto* explaining =
        add("explain",
            "why there was (no) pop, this match, this refusal; exit code 0: something is known, 1: "
            "nothing is, 2: no daemon answers",
            run_explain);
    explaining->add_option("of", arguments.of, "a call (hq:1795187329.0), a JID, or a number in any form")
        ->required();
    explaining->add_flag("--json", arguments.json, "one JSON object, with the data of each decision");
    explaining->add_flag("--all", arguments.all, "details, and what concerns others, too");
    explaining->add_option("--last", arguments.last, "how many calls of a JID or number")
        ->check(CLI::Range(1, 10))
        ->capture_default_str();
    auto* record =
        add("record",
            "write down what a pbx sends, without secrets, for `replay`; ends with Ctrl-C. From the "
            "running daemon's session if there is one, else by a session of its own",
            run_record);
    record->add_option("pbx", arguments.pbx, "name of the pbx in the configuration")->required();
    record->add_option("file", arguments.file, "file to write; the times go beside it, into .times")
        ->required();
    add_record_options(*record, arguments);
    auto* vtiger = add("vtiger", "the widget in the pages of vTiger 7 and 8", nullptr);
    vtiger->require_subcommand(1);
    add_vtiger_options(*vtiger, arguments, command);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // --help and --version come this way too, with code 0.
        return app.exit(error) == 0 ? ok : wrong;
    }
    try {
        return command(arguments);
    } catch (const std::exception& error) {
        fmt::print(stderr, "ctibridge: {}\n", error.what());
        return failed;
    }
}

}  // namespace bridge
