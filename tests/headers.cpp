// Stands for the headers that every test reads: what is compiled here is compiled ahead (tests/CMakeLists.txt).
