// Stands for the headers that most files read: what is compiled here is compiled ahead (GraftHeaders.cmake).
