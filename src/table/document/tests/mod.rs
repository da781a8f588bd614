mod errors;
mod hostile;
mod lines;
mod names;
mod read;
mod round_trip;
mod written;
