mod damage;
mod filters;
mod fixtures;
mod limits;
mod owners;
mod rows;
