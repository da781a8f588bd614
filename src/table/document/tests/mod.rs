mod errors;
mod hostile;
mod lines;
mod read;
mod round_trip;
mod written;
