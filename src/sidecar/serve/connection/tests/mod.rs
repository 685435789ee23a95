mod limits;
mod stage;
