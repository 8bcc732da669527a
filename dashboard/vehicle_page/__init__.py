"""The pages of one vehicle: a common base with tabs, and a module of views for each tab."""
