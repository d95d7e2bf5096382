// Lists of what an outcome holds, put behind each other.
#pragma once

#include <iterator>
#include <vector>

namespace bridge {

// Moves what `from` holds behind what `to` holds. `from` keeps its size; what is in it is to be forgotten.
template <typename T>
void move_behind(std::vector<T>& to, std::vector<T>& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace bridge
