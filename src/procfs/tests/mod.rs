mod damage;
mod filters;
mod fixtures;
mod limits;
mod rows;
