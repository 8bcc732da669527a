"""The pages of one car: a frame with tabs, and a module of views for each tab."""
