UPDATE clock SET revision = MAX(revision, :revision) WHERE id = 1;
