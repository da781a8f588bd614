mod documents;
mod effective;
mod watching;
