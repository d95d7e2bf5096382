#include "bridge/commands.hpp"

int main(int argc, char** argv) {
    return bridge::command_line(argc, argv);
}
